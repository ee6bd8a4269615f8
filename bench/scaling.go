package main

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"
)

// scalingCold and scalingNoop hold the cost of each of many packs against that
// of each of few.
func (b *bench) scalingCold(ctx context.Context) (result, error) {
	return b.scalingOf(ctx, "scaling-cold", "cold, locked", b.cold)
}

func (b *bench) scalingNoop(ctx context.Context) (result, error) {
	return b.scalingOf(ctx, "scaling-noop", "nothing to do", b.noop)
}

// scalingOf compares the greatest number of packs against each smaller one, by the
// pack.
func (b *bench) scalingOf(ctx context.Context, name, what string, command func(*dataset) tool) (result, error) {
	s := b.sizes()
	r := comparison{name: name, short: what}
	for at := len(s.scaling) - 1; at >= 0; at-- {
		count := s.scaling[at]
		d, err := b.dataset(ctx, s.scalingShape(count))
		if err != nil {
			return result{}, err
		}
		c := command(d)
		c.name, c.units = fmt.Sprintf("each of %s packs", humanize.Comma(int64(count))), count
		if r.title == "" {
			r.title = fmt.Sprintf("%s, each of %s", what, packsText(count, s.small))
		}
		if count == s.against {
			c.target = 1.3
		}
		r.tools = append(r.tools, c)
	}
	res, err := b.run(ctx, r)
	res.verdicts = res.byTime()
	return res, err
}

// memory holds the peak memory of first runs against a limit, whatever the size
// of the packs.
func (b *bench) memory(ctx context.Context) (result, error) {
	s := b.sizes()
	shapes := []shape{
		{name: "one", count: 1, size: s.pack}, s.largeShape(),
		{name: "eight", count: 8, size: s.pack}, {name: "eight-large", count: 8, size: s.eighth},
		s.manyShape(),
	}
	return b.memoryOf(ctx, "memory", "peak memory, cold", shapes, func(d *dataset) (tool, error) { return b.cold(d), nil })
}

// memoryOf holds the peak memory of a command against a limit, for packs of several shapes.
func (b *bench) memoryOf(ctx context.Context, name, title string, shapes []shape, command func(*dataset) (tool, error)) (result, error) {
	r := comparison{name: name, title: title}
	for _, of := range shapes {
		d, err := b.dataset(ctx, of)
		if err != nil {
			return result{}, err
		}
		c, err := command(d)
		if err != nil {
			return result{}, err
		}
		c.name = packsText(of.count, of.size)
		r.tools = append(r.tools, c)
	}
	res, err := b.run(ctx, r)
	if err == nil {
		res.verdicts = res.byMemory(48)
	}
	return res, err
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/greenticai/packvendor/bench/network"
)

// linkRate is that of the line between a user and registries, in bytes per second: 200 Mbit/s.
const linkRate = 200_000_000 / 8

// at is a part of the benchmark at a distance, as a round trip in milliseconds.
func at(roundTrip int, run func(*bench, context.Context, time.Duration) (result, error)) func(*bench, context.Context) (result, error) {
	return func(b *bench, ctx context.Context) (result, error) {
		far, err := b.afar()
		if err != nil {
			return result{}, err
		}
		return run(far, ctx, time.Duration(roundTrip)*time.Millisecond)
	}
}

// afar is this bench at the other end of a link: packs and projects are made over a link that
// takes no time.
func (b *bench) afar() (*bench, error) {
	if b.far != nil {
		return b.far, nil
	}
	link := network.New()
	through, err := link.To(b.registry.Host())
	if err != nil {
		link.Close()
		return nil, err
	}
	far := *b
	far.link, far.datasets = link, map[string]*dataset{}
	far.registry = &registry{Server: b.registry.Server, caFile: b.registry.caFile, through: through}
	b.far = &far
	return b.far, nil
}

// runFrom runs a comparison at a distance.
func (b *bench) runFrom(ctx context.Context, roundTrip time.Duration, c comparison) (result, error) {
	c.title = fmt.Sprintf("%s, %d ms away", c.title, roundTrip.Milliseconds())
	c.short = fmt.Sprintf("%s, %d ms away", c.short, roundTrip.Milliseconds())
	b.link.Set(network.Path{Delay: roundTrip / 2, Rate: linkRate})
	defer b.link.Set(network.Path{})
	r, err := b.run(ctx, c)
	r.verdicts = append(r.byTime(), r.byConnections()...)
	return r, err
}

// connections counts the connections through a link since the last call, and the round trips
// of the one that had most. The handshake of TCP is one of them.
func (b *bench) connections() (count, turns int) {
	if b.link == nil {
		return 0, 0
	}
	past := b.link.Take()
	for _, c := range past {
		turns = max(turns, 1+c.Turns)
	}
	return len(past), turns
}

// byConnections reports what the first tool needs of a link, and each other.
func (r result) byConnections() []verdict {
	var connections, turns string
	for i, o := range r.outcomes {
		if i > 0 {
			connections, turns = connections+", "+o.name+": ", turns+", "+o.name+": "
		}
		connections, turns = connections+fmt.Sprint(o.traffic.Connections), turns+fmt.Sprint(o.traffic.Turns)
	}
	return []verdict{
		{Case: r.title, Against: "connections", Measured: connections},
		{Case: r.title, Against: "round trips on the connection that has most", Measured: turns},
	}
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/greenticai/packvendor/bench/network"
)

// quickest is the longest round trip of a quick run.
const quickest = 10 * time.Millisecond

// away is a part of the benchmark at a distance, as a round trip in milliseconds. None is
// loopback.
func away(roundTrip int, run func(*bench, context.Context, network.Path) (result, error)) func(*bench, context.Context) (result, error) {
	path := network.Path{Delay: time.Duration(roundTrip) * time.Millisecond / 2, Rate: linkRate}
	return func(b *bench, ctx context.Context) (r result, err error) {
		if roundTrip > 0 {
			if b, err = b.afar(); err != nil {
				return r, err
			}
		}
		return run(b, ctx, path)
	}
}

// afar is this bench at the other end of a line. Packs and projects are made while the line
// takes no time.
func (b *bench) afar() (*bench, error) {
	if b.far != nil {
		return b.far, nil
	}
	l := &line{Link: network.New(), ca: b.registry.CA()}
	if b.trace != "" {
		l.record = &record{now: l.Now}
	}
	far := *b
	far.line = l
	var err error
	if b.far, err = far.behind(frontOptions{}); err != nil {
		l.close()
	}
	return b.far, err
}

// behind is this bench with its registry behind a front, at the other end of its line.
func (b *bench) behind(o frontOptions) (*bench, error) {
	through, err := b.line.to(b.registry.Host(), o)
	if err != nil {
		return nil, err
	}
	return b.at(&registry{Server: b.registry.Server, caFile: b.registry.caFile, through: through}), nil
}

// at is this bench at another registry.
func (b *bench) at(r *registry) *bench {
	other := *b
	other.registry, other.datasets = r, map[string]*dataset{}
	return &other
}

// runFrom runs a comparison at a distance.
func (b *bench) runFrom(ctx context.Context, path network.Path, c comparison) (result, error) {
	if b.line == nil {
		return b.runHere(ctx, c)
	}
	if b.quick {
		path.Delay = min(path.Delay, quickest/2)
	}
	text := fmt.Sprintf(", %d ms away", path.RoundTrip().Milliseconds())
	c.title, c.short = c.title+text, c.short+text
	b.line.Set(path)
	defer b.line.Set(network.Path{})
	if b.trace != "" {
		return b.traced(ctx, c)
	}
	b.line.TakeLateness()
	r, err := b.run(ctx, c)
	r.verdicts, r.path, r.late = r.byTime(), path, b.line.TakeLateness()
	if r.spoiled() && !b.quick {
		b.tell("%s: the network was %s late: this machine is too busy to measure it", c.name, r.lateness())
	}
	return r, err
}

func (b *bench) runHere(ctx context.Context, c comparison) (result, error) {
	c.title, c.short = c.title+", on loopback", c.short+", on loopback"
	r, err := b.run(ctx, c)
	r.verdicts = r.byTime()
	return r, err
}

// Bounds on how late a network is on average: the greater one counts. The timers of an idle
// machine are late by half of the second.
const (
	latestShare = 0.05 // of its delay
	latest      = 250 * time.Microsecond
)

// spoiled tells whether the network was too late to measure anything.
func (r result) spoiled() bool {
	return r.late.Mean > max(latest, time.Duration(latestShare*float64(r.path.Delay)))
}

// lateness is how late the network was on average.
func (r result) lateness() string {
	return fmt.Sprintf("%.2f ms (%.1f %%)", r.late.Mean.Seconds()*1000, 100*r.late.Mean.Seconds()/r.path.Delay.Seconds())
}

// connections counts the connections through a line since the last call.
func (b *bench) connections() connections {
	if b.line == nil {
		return connections{}
	}
	return connectionsOf(b.line.Take())
}

// connections are those of a run.
type connections struct {
	All    int
	AtOnce int // to one server
}

func connectionsOf(past []network.Connection) connections {
	c := connections{All: len(past)}
	for _, one := range past {
		open := 0
		for _, other := range past {
			if other.Server == one.Server && other.Opened <= one.Opened && one.Opened < other.Closed {
				open++
			}
		}
		c.AtOnce = max(c.AtOnce, open)
	}
	return c
}

// byConnections holds the connections of the first tool against what a host shall bear.
func (r result) byConnections() verdict {
	const most = 16
	got := r.outcomes[0].traffic.Connections.AtOnce
	return verdict{
		Case: r.title, Against: "connections to one host at once", Target: fmt.Sprintf("≤ %d", most),
		Measured: fmt.Sprint(got), Met: got <= most,
	}
}

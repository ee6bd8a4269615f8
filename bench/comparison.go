package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/greenticai/packvendor/bench/network"
)

// A tool is a command that is measured. It works in a folder of its own,
// which is fresh each time.
type tool struct {
	name   string
	about  string  // what it is, at length; "" says no more than name
	target float64 // how much of its time the first tool may take; 0 is no target
	units  int     // what its cost is divided by; 0 is 1

	prepare func(dir string) error // what is not measured; nil is nothing
	args    func(dir string) []string
	check   func(dir string) error // whether it did its work; nil believes its exit code
	env     []string               // besides that of all
	asks    *registry              // whose requests are counted; nil is the bench's
}

// A comparison is a set of tools that are measured in turn: A, B, C, A, B, C, ….
type comparison struct {
	name  string
	title string // what is done
	short string // the same in a picture
	tools []tool // the first is packvendor
}

// An outcome is what a tool cost.
type outcome struct {
	tool
	wall, cpu spread // seconds a unit
	memory    spread // MiB
	traffic   traffic
}

// A result is what a comparison came to.
type result struct {
	comparison
	outcomes []outcome
	verdicts []verdict

	path  network.Path     // no delay is loopback
	late  network.Lateness // of the network
	trace string           // instead of all that
}

// run runs a comparison, once to warm up and to count requests, then as often as is
// measured, in the order of turns.
func (b *bench) run(ctx context.Context, r comparison) (result, error) {
	res := result{comparison: r, outcomes: make([]outcome, len(r.tools))}
	if b.trace != "" {
		return res, fmt.Errorf("%s is not at a distance: there is nothing to trace", r.name)
	}
	for i, c := range r.tools {
		b.tell("%s: %s, warming up", r.name, c.name)
		_, t, err := b.once(ctx, c, true)
		if err != nil {
			return res, fmt.Errorf("%s: %s: %w", r.name, c.name, err)
		}
		res.outcomes[i] = outcome{tool: c, traffic: t}
	}
	for round := range b.rounds {
		for _, i := range turns(round, len(r.tools)) {
			o := &res.outcomes[i]
			s, _, err := b.once(ctx, o.tool, false)
			if err != nil {
				return res, fmt.Errorf("%s: %s: %w", r.name, o.name, err)
			}
			o.add(s)
			b.tell("%s: round %d of %d, %s: %v, CPU %v, %.1f MiB", r.name, round+1, b.rounds, o.name, s.Wall.Round(time.Millisecond), s.CPU.Round(time.Millisecond), mebibytes(s.Memory))
		}
	}
	return res, nil
}

// turns is the order in which n tools run in a round: of two rounds one goes
// backwards, and the next two begin with the next tool. So nobody runs after the
// same one each time, which may be the heaviest writer.
func turns(round, n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = (round/2 + i) % n
	}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// once runs a tool in a fresh folder. What was written before is on the
// disk then, so that nobody pays for it. Requests are counted only where that is
// asked for.
func (b *bench) once(ctx context.Context, c tool, count bool) (s sample, t traffic, err error) {
	dir := filepath.Join(b.work, "run")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return s, t, err
	}
	defer func() { err = errors.Join(err, b.empty(dir)) }()
	if c.prepare != nil {
		if err := c.prepare(dir); err != nil {
			return s, t, err
		}
	}
	asked := cmp.Or(c.asks, b.registry)
	var mark int64
	if count {
		if mark, err = asked.mark(); err != nil {
			return s, t, err
		}
	}
	b.connections() // those of the run before are closed then, and count no more
	syscall.Sync()
	if s, err = measure(ctx, dir, slices.Concat(b.env, c.env), c.args(dir)); err != nil {
		return s, t, err
	}
	if count {
		if t, err = asked.since(mark); err != nil {
			return s, t, err
		}
		t.Connections = b.connections()
	}
	if c.check != nil {
		err = c.check(dir)
	}
	return s, t, err
}

// empty gives back what the files of a run take, and puts them out of the way. They
// are removed at the end: an ext4 without a journal looks at every inode that was
// freed in the last minutes before it takes another, and the next run would pay for
// that, recently_deleted in
// https://github.com/torvalds/linux/blob/master/fs/ext4/ialloc.c.
func (b *bench) empty(dir string) error {
	trash, err := os.MkdirTemp(b.work, "trash-")
	if err != nil {
		return err
	}
	if err := os.Rename(dir, filepath.Join(trash, "run")); err != nil {
		return err
	}
	return filepath.WalkDir(trash, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			err = os.Truncate(path, 0)
		}
		return err
	})
}

func (o *outcome) add(s sample) {
	units := float64(max(1, o.units))
	o.wall.values = append(o.wall.values, s.Wall.Seconds()/units)
	o.cpu.values = append(o.cpu.values, s.CPU.Seconds()/units)
	o.memory.values = append(o.memory.values, mebibytes(s.Memory))
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

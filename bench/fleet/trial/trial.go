// Package trial runs a fleet: many projects at once, in groups that share a cache, with the
// real registry server as origin and as pull-through cache. It counts what both are asked.
package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A Phase is what all projects do at once.
type Phase string

const (
	// Cold vendors clones that have packs.lock and no packs, with empty caches.
	Cold Phase = "cold"
	// Update updates the projects after releases, with the caches that Cold leaves.
	Update Phase = "update"
	// Again is Cold with the packs.lock of Update, and with the caches that Cold leaves.
	Again Phase = "again"
)

// A Way is how projects reach the packs.
type Way string

const (
	// Direct is without a proxy.
	Direct Way = "direct"
	// Proxy is through a proxy that is empty at first.
	Proxy Way = "proxy"
	// Filled is through a proxy to which one job went first, with all packs. Its
	// registries.conf says pull-from-mirror = "all", so tags go through it, too.
	Filled Way = "filled"
)

// A Round is one phase of all projects, and what came of it.
type Round struct {
	Phase   Phase       `json:"phase"`
	Way     Way         `json:"way"`
	Limited bool        `json:"limited,omitzero"` // the origin answers Size.Pulls pulls
	Filling Traffic     `json:"filling,omitzero"` // at the origin, by the job that went first
	Origin  Traffic     `json:"origin,omitzero"`  // by the projects, or the proxy for them
	Proxy   Traffic     `json:"proxy,omitzero"`   // by the projects
	Exits   map[int]int `json:"exits"`            // runs of projects by their exit codes
	Seconds float64     `json:"seconds"`          // on the machine of the trial
}

// Options set up a trial.
type Options struct {
	Size
	Checkout string    // of packvendor, to build it
	Work     string    // an existing folder for all that is made
	Log      io.Writer // hears how it goes
}

// Run runs all phases on all ways. If Size.Pulls is not 0, it runs the first phase also with
// an origin that limits.
func Run(ctx context.Context, o Options) ([]Round, error) {
	w, err := newWorld(ctx, o)
	if err != nil {
		return nil, err
	}
	rounds, err := w.run(ctx)
	return rounds, errors.Join(err, w.close())
}

func (w *world) run(ctx context.Context) ([]Round, error) {
	courses, err := w.newCourses()
	if err != nil {
		return nil, err
	}
	var rounds []Round
	for _, phase := range []Phase{Cold, Update, Again} {
		if phase == Update {
			if err := w.release(ctx); err != nil {
				return nil, err
			}
		}
		for _, c := range courses {
			if c.limited && phase != Cold {
				continue
			}
			r, err := w.round(ctx, phase, c)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", phase, c.Way, err)
			}
			w.tell("%+v", r)
			rounds = append(rounds, r)
		}
	}
	return rounds, nil
}

// A course is a way, with or without a limit. It has a proxy of its own, which keeps from
// phase to phase what it has read.
type course struct {
	Way
	limited bool
	proxy   *station // nil if Direct
	conf    string   // the registries.conf
}

func (w *world) newCourses() (courses []*course, err error) {
	limits := []bool{false, true}
	if w.Pulls == 0 {
		limits = limits[:1]
	}
	for _, limited := range limits {
		for _, way := range []Way{Direct, Proxy, Filled} {
			c := &course{Way: way, limited: limited, conf: os.DevNull}
			if way != Direct {
				err = w.addProxy(c)
			}
			if err != nil {
				return nil, err
			}
			courses = append(courses, c)
		}
	}
	return courses, nil
}

// addProxy starts the proxy of a course and writes its registries.conf.
func (w *world) addProxy(c *course) (err error) {
	name := fmt.Sprintf("%s-%t", c.Way, c.limited)
	if c.proxy, err = w.newStation(name, w.origin.front); err != nil {
		return err
	}
	text := fmt.Sprintf("[[registry]]\nlocation = %q\n\n[[registry.mirror]]\nlocation = %q\n", w.origin.host, c.proxy.host)
	if c.Way == Filled {
		text += "pull-from-mirror = \"all\"\n"
	}
	c.conf = filepath.Join(w.Work, name+".conf")
	return os.WriteFile(c.conf, []byte(text), 0o666)
}

// tell says on the way how it goes.
func (w *world) tell(format string, args ...any) { fmt.Fprintf(w.Log, format+"\n", args...) }

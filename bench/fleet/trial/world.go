package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// A world is the servers and the programs of a trial.
type world struct {
	Options
	program  string // packvendor, built from the checkout
	ca       *packtest.Authority
	caFile   string
	issuer   *packtest.Registry // gives the tokens that the origin demands
	origin   *station
	stations []*station // all of them
}

// A station is a registry server behind a front.
type station struct {
	*front
	server *distribution.Server
}

func newWorld(ctx context.Context, o Options) (*world, error) {
	w := &world{Options: o, program: filepath.Join(o.Work, "packvendor")}
	if err := w.setUp(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) setUp(ctx context.Context) (err error) {
	w.tell("building packvendor")
	build := exec.CommandContext(ctx, "go", "build", "-o", w.program, "./cmd/packvendor")
	build.Dir = w.Checkout
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, said)
	}
	if w.issuer, err = packtest.NewRegistry(packtest.Options{Token: true}); err != nil {
		return err
	}
	w.ca = w.issuer.CA()
	if w.caFile, err = w.ca.WriteFile(w.Work); err != nil {
		return err
	}
	if w.origin, err = w.newStation("origin", nil); err != nil {
		return err
	}
	return w.prepare(ctx)
}

// newStation starts a registry: the origin, or a pull-through cache of another.
func (w *world) newStation(name string, of *front) (*station, error) {
	s := &station{}
	w.stations = append(w.stations, s)
	o := distribution.Options{Dir: filepath.Join(w.Work, name), CA: w.ca}
	if of == nil {
		o.Issuer = w.issuer
	} else {
		o.Origin = of
	}
	if err := os.Mkdir(o.Dir, 0o777); err != nil {
		return nil, err
	}
	var err error
	if s.front, err = newFront(w.ca); err != nil {
		return nil, err
	}
	if s.server, err = distribution.Start(o); err != nil {
		return nil, err
	}
	return s, s.passTo(s.server)
}

// close stops all servers.
func (w *world) close() error {
	var errs []error
	for _, s := range w.stations {
		if s.front != nil {
			errs = append(errs, s.close())
		}
		if s.server != nil {
			errs = append(errs, s.server.Stop())
		}
	}
	if w.issuer != nil {
		errs = append(errs, w.issuer.Close())
	}
	return errors.Join(errs...)
}

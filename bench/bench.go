package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// A bench is all that one invocation works with.
type bench struct {
	options
	checkout string
	work     string // a folder of its own
	programs programs
	registry *registry
	env      []string // of every command
	datasets map[string]*dataset
	log      io.Writer

	line *line  // to the registry; nil where it is on this machine
	far  *bench // this bench with a line, made when first asked for
}

// moduleLine begins the go.mod of the checkout.
const moduleLine = "module github.com/greenticai/packvendor\n"

// findCheckout returns the checkout that this program is run in.
func findCheckout() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := here; ; at = filepath.Dir(at) {
		if mod, err := os.ReadFile(filepath.Join(at, "go.mod")); err == nil && strings.HasPrefix(string(mod), moduleLine) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s is in no checkout of packvendor", here)
		}
	}
}

// docsDir returns where to write, "" for nowhere.
func (o options) docsDir(checkout string) string {
	switch {
	case o.docs != "":
		return o.docs
	case o.quick || o.only != nil:
		return ""
	}
	return filepath.Join(checkout, "docs")
}

// newBench builds what is measured and starts the registry. The caller must close
// it.
func newBench(ctx context.Context, o options, checkout string, log io.Writer) (*bench, error) {
	b := &bench{options: o, checkout: checkout, datasets: map[string]*dataset{}, log: log}
	parent := o.work
	if parent == "" {
		parent = filepath.Join(checkout, "bench")
	}
	var err error
	if b.work, err = os.MkdirTemp(parent, ".work-"); err != nil {
		return nil, err
	}
	if b.work, err = filepath.Abs(b.work); err == nil {
		err = b.setUp(ctx)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) setUp(ctx context.Context) (err error) {
	if b.programs, err = findPrograms(ctx, b.checkout, b.work); err != nil {
		return err
	}
	if b.registry, err = startRegistry(b.work, distribution.Options{Plain: b.plain}); err != nil {
		return err
	}
	b.env, err = b.environment(b.registry)
	return err
}

// environment is that of every command that is measured: nobody's credentials or
// settings, and trust in the registry alone.
func (b *bench) environment(r *registry) ([]string, error) {
	home := filepath.Join(b.work, "home")
	if err := os.MkdirAll(home, 0o777); err != nil {
		return nil, err
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DOCKER_CONFIG=" + home, "TMPDIR=" + home}
	if r.caFile != "" {
		env = append(env, "SSL_CERT_FILE="+r.caFile, "SSL_CERT_DIR="+home)
	}
	return env, nil
}

// close stops the registry and removes all that was made.
func (b *bench) close() error {
	var err error
	if b.far != nil {
		err = b.far.line.close()
	}
	if b.registry != nil {
		err = errors.Join(err, b.registry.stop())
	}
	return errors.Join(err, os.RemoveAll(b.work))
}

// tell says on the way how it goes.
func (b *bench) tell(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }

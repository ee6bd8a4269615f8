package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/packtest"
)

// samples are the packs in the registry.
var samples = []struct{ name, version string }{
	{"messaging-slack", "0.4.38"},
	{"state-redis", "1.2.0"},
}

// quickstart sets the stage in a temporary directory, tells the story, and
// removes the directory again unless it is to be kept.
func quickstart(ctx context.Context, stdout, stderr io.Writer, keep bool) (err error) {
	source, err := sourceDir(ctx, stderr)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "packvendor-quickstart-")
	if err != nil {
		return err
	}
	defer func() {
		if !keep {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	registry, err := packtest.NewRegistry(packtest.Options{Plain: true})
	if err != nil {
		return err
	}
	defer registry.Close()
	s := &stage{
		registry: registry,
		app:      filepath.Join(temp, "app"),
		env:      environment(filepath.Join(temp, "cache")),
		stdout:   stdout,
		stderr:   stderr,
	}
	s.say("This builds packvendor and a small program; the first time takes a minute.")
	if err := s.buildTool(ctx, source); err != nil {
		return err
	}
	if err := s.build(source); err != nil {
		return err
	}
	if err := s.tell(ctx); err != nil {
		return err
	}
	if keep {
		fmt.Fprintf(stdout, "# The program is kept in %s\n", s.app)
	}
	return nil
}

// environment is that of the commands. It is this process's own, but for what
// would tell another story: a CI job locks packs.lock; flags and caches are the
// user's business. GOPROXY=off proves that all is on the machine once the tool is
// built.
func environment(cache string) []string {
	return append(os.Environ(),
		"CI=", "PACKVENDOR_FLAGS=", "GREENTIC_PACK_CACHE_DIR="+cache,
		"GOFLAGS=-mod=readonly", "GOPROXY=off", "GOWORK=off")
}

// tell runs the commands that a user would, in the user's order.
func (s *stage) tell(ctx context.Context) error {
	s.say("A registry at %s has %d packs. A Go program wants them built in:", s.registry.URL(), len(samples))
	steps := []func() error{
		func() error { return s.grep("tool", "go.mod", "packs/gen.go") },
		func() error { return s.head("packs/packs.toml") },
		func() error { return s.generate(ctx) },
		func() error { return s.find("packs") },
		func() error { return s.head("packs/packs.lock") },
		func() error { return s.generateAgain(ctx) },
		func() error { return s.command(ctx, "go", "run", ".") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// generate is the first run: every pack has to come from the registry.
func (s *stage) generate(ctx context.Context) error {
	if err := s.command(ctx, "go", "generate", "./..."); err != nil {
		return err
	}
	s.say("packvendor sent %d requests to the registry. What it made is to be committed:", len(s.registry.Requests()))
	return nil
}

// generateAgain is a run with nothing to do, and proves that nothing is done.
func (s *stage) generateAgain(ctx context.Context) error {
	before, err := s.look()
	if err != nil {
		return err
	}
	s.registry.ResetRequests()
	if err := s.command(ctx, "go", "generate", "./..."); err != nil {
		return err
	}
	after, err := s.look()
	if err != nil {
		return err
	}
	if requests := s.registry.Requests(); len(requests) > 0 {
		return fmt.Errorf("the second run sent requests to the registry: %v", requests)
	}
	if changed := differences(before, after); len(changed) > 0 {
		return fmt.Errorf("the second run changed %v", changed)
	}
	s.say("A second run sends no request and changes no file: packs.lock and the packs agree.")
	return nil
}

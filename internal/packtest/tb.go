package packtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// TB is the part of testing.TB that the functions below need. Its own definition keeps
// package testing out of programs that are not tests.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// A Skipper is the part of testing.TB that Unable needs.
type Skipper interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Unable skips a test that this system cannot run. In CI, where $CI parses as true, the
// test fails instead, so that no gap stays unseen.
func Unable(tb Skipper, format string, args ...any) {
	tb.Helper()
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// LookPath returns the path of a test's program, or an error of one line with its
// installation.
func LookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not in PATH: .ci/install FOLDER %s installs it", name, name)
	}
	return path, nil
}

// NeedProgram returns the path of a program that a test needs; [Unable] ends the test
// if it is missing.
func NeedProgram(tb Skipper, name string) string {
	tb.Helper()
	path, err := LookPath(name)
	if err != nil {
		Unable(tb, "%v", err)
	}
	return path
}

// StartRegistry starts a registry, and closes it at the end of the test.
func StartRegistry(tb TB, opts Options) *Registry {
	tb.Helper()
	r, err := NewRegistry(opts)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

// MustPush pushes an artifact or ends the test.
func MustPush(tb TB, r *Registry, repository, tag string, a Artifact) Pushed {
	tb.Helper()
	pushed, err := r.Push(repository, tag, a)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	return pushed
}

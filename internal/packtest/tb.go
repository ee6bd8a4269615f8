package packtest

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// TB is what the functions below need of a *testing.T, *testing.B or
// *testing.F. It is spelled out so that programs which are not tests do not
// link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// A Skipper is what Unable needs of a testing.TB.
type Skipper interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Unable ends a test that this system cannot do: it is skipped, but in CI, where
// $CI parses as true, it fails, so that nothing is passed over there unseen.
func Unable(tb Skipper, format string, args ...any) {
	tb.Helper()
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
}

// LookPath returns the path of a program that tests use, or an error of one line
// that says how to get it.
func LookPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not in PATH: .ci/install FOLDER %s installs it", name, name)
	}
	return path, nil
}

// NeedProgram returns the path of a program that a test cannot do without. Where
// there is none, the test is ended by [Unable].
func NeedProgram(tb Skipper, name string) string {
	tb.Helper()
	path, err := LookPath(name)
	if err != nil {
		Unable(tb, "%v", err)
	}
	return path
}

// StartRegistry starts a registry that is closed when the test ends.
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

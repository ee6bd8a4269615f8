package packtest

import (
	"os"
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

//go:build amd64 || arm64

package vendorer_test

import (
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// A run that has no lock may not be alone: what looks like a killed run's is left
// to one that knows.
func TestFault41_NothingIsSweptWithoutALock(t *testing.T) {
	p := newVendored(t)
	leftovers := []string{"app/.packvendor-0123456789abcdef.tmp", "app/packs/.packvendor-0123456789abcdef.tmp"}
	for _, name := range leftovers {
		p.write(name, "another run's")
	}
	var err error
	syscalls.Failing(t, syscall.ENOLCK, func() { _, err = p.run() }, syscall.SYS_FLOCK)
	p.must(err)
	for _, name := range leftovers {
		p.wantFile(name, "another run's")
	}
	p.mustRun()
	p.wantAbsent(leftovers...)
}

//go:build amd64 || arm64

package vendorer_test

import (
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// A run without a lock may not be alone: it leaves apparent leftovers to a run with
// one.
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

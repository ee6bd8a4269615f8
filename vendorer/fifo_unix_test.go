//go:build unix

package vendorer_test

import (
	"path/filepath"
	"syscall"
)

func (p *project) fifo(name string) {
	p.t.Helper()
	p.must(syscall.Mkfifo(filepath.Join(p.mod, name), 0o666))
}

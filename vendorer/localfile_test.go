package vendorer_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/vendorer"
)

// newFromFile returns a project with a pack a that is a file, and the path of that file, which
// is beside the module.
func newFromFile(t *testing.T) (*project, string) {
	t.Helper()
	p := newProject(t)
	p.packs(`a = { path = "../../a.gtpack" }`)
	file := filepath.Join(filepath.Dir(p.mod), "a.gtpack")
	p.must(os.WriteFile(file, packtest.Zip("a", "1", 0), 0o666))
	return p, file
}

// A file that changes after it was hashed is not vendored, and nothing is written.
func TestFault45c_FileChangesInRun(t *testing.T) {
	other := packtest.Zip("a", "2", 0)
	for name, change := range map[string]func(file string) error{
		"other bytes": func(file string) error { return os.WriteFile(file, other, 0o666) },
		"grows": func(file string) error {
			return os.WriteFile(file, append(packtest.Zip("a", "1", 0), 0), 0o666)
		},
		"shrinks": func(file string) error { return os.Truncate(file, 10) },
	} {
		t.Run(name, func(t *testing.T) {
			p, file := newFromFile(t)
			p.onEvent = func(e vendorer.Event) {
				if _, ok := e.(vendorer.Planned); ok {
					p.must(change(file))
				}
			}
			before := p.snapshot(false)
			err := p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: "+filepath.Join(p.dir, "../../a.gtpack")+" was changed while packvendor ran")
			if !errors.As(err, new(*vendorer.ChangedError)) {
				t.Errorf("it is %T", err)
			}
			if after := p.snapshot(false); after != before {
				t.Errorf("there is %s, want %s", after, before)
			}
			p.onEvent = nil
			p.mustRun()
		})
	}
}

// A file that goes away after it was hashed is missing, and nothing is written.
func TestFault45c_FileGoesInRun(t *testing.T) {
	p, file := newFromFile(t)
	p.onEvent = func(e vendorer.Event) {
		if _, ok := e.(vendorer.Planned); ok {
			p.must(os.Remove(file))
		}
	}
	before := p.snapshot(false)
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: its file "+filepath.Join(p.dir, "../../a.gtpack")+" is not there")
	if after := p.snapshot(false); after != before {
		t.Errorf("there is %s, want %s", after, before)
	}
}

// A file of more bytes than a program can embed is refused before it is read.
func TestFileTooLarge(t *testing.T) {
	p, file := newFromFile(t)
	p.must(os.Truncate(file, 1<<40))
	p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: the file has 1099511627776 bytes: more than 2000000000 cannot be linked into a Go program")
}

// A file that cannot be a pack is vendored with a warning.
func TestFileNotZip(t *testing.T) {
	p, file := newFromFile(t)
	p.must(os.WriteFile(file, []byte("text"), 0o666))
	p.mustRun()
	p.wantEvents("vendorer.FileNotZip{Name:a Path:../../a.gtpack}")
	p.wantNothingWritten()
	p.wantFound(true)
	p.wantRequests()
}

// Who interrupts a run that hashes files ends it.
func TestFileInterrupted(t *testing.T) {
	p, _ := newFromFile(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.fails(func() error { _, err := vendorer.Run(ctx, p.options); return err }, context.Canceled.Error())
}

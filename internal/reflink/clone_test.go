package reflink

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// size is that of a source, in bytes: many blocks, and a part of one.
const size = 300_001

// A pair is an empty file below root, and a source.
type pair struct {
	t            *testing.T
	root         *os.Root
	file, source *os.File
	bytes        []byte // the source's
}

// newPair makes the file in one folder and the source in another. The source is older, and
// only its owner may read it.
func newPair(t *testing.T, to, from string) *pair {
	t.Helper()
	p := &pair{t: t, bytes: bytes.Repeat([]byte("block "), size/6+1)[:size]}
	var err error
	p.root, err = os.OpenRoot(to)
	p.must(err)
	t.Cleanup(func() { p.root.Close() })
	p.must(p.root.Mkdir("sub", 0o777))
	p.file, err = p.root.OpenFile("sub/file", os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	p.must(err)
	t.Cleanup(func() { p.file.Close() })
	source := filepath.Join(from, "source")
	p.must(os.WriteFile(source, p.bytes, 0o600))
	p.must(os.Chtimes(source, time.Unix(1_000_000_000, 0), time.Unix(1_000_000_000, 0)))
	p.source, err = os.Open(source)
	p.must(err)
	t.Cleanup(func() { p.source.Close() })
	return p
}

func (p *pair) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// clone calls Clone. The file is then at its name, with its mode.
func (p *pair) clone() error {
	p.t.Helper()
	before, err := p.file.Stat()
	p.must(err)
	file, cloneErr := Clone(p.root, "sub/file", p.file, p.source)
	p.file = file
	named, err := p.root.Lstat("sub/file")
	p.must(err)
	open, err := p.file.Stat()
	p.must(err)
	if !os.SameFile(named, open) || named.Mode() != before.Mode() || named.ModTime().Before(before.ModTime()) {
		p.t.Errorf("the name has %v, %v, the open file %v, want the mode %v", named.Mode(), named.ModTime(), open.Name(), before.Mode())
	}
	names, err := fs.ReadDir(p.root.FS(), "sub")
	if p.must(err); len(names) != 1 {
		p.t.Errorf("beside it there are %v", names)
	}
	return cloneErr
}

// wantBytes demands what the file holds by its name, and through the descriptor.
func (p *pair) wantBytes(want []byte) {
	p.t.Helper()
	named, err := fs.ReadFile(p.root.FS(), "sub/file")
	p.must(err)
	open, err := io.ReadAll(io.NewSectionReader(p.file, 0, 2*size))
	p.must(err)
	if !bytes.Equal(named, want) || !bytes.Equal(open, want) {
		p.t.Errorf("the name leads to %d bytes, the descriptor to %d, want %d", len(named), len(open), len(want))
	}
}

// wantApart demands that neither file has what is written to the other.
func (p *pair) wantApart() {
	p.t.Helper()
	source, err := os.OpenFile(p.source.Name(), os.O_RDWR, 0)
	p.must(err)
	defer source.Close()
	_, err = source.WriteAt([]byte("other"), 5000)
	p.must(err)
	p.wantBytes(p.bytes)
	_, err = p.file.WriteAt([]byte("mine"), 100_000)
	p.must(err)
	want := bytes.Clone(p.bytes)
	copy(want[5000:], "other")
	if got, err := os.ReadFile(source.Name()); err != nil || !bytes.Equal(got, want) {
		p.t.Errorf("the source holds %d bytes, %v, or other ones than were written", len(got), err)
	}
}

// wantUsable demands that the file can be emptied and written.
func (p *pair) wantUsable() {
	p.t.Helper()
	p.must(p.file.Truncate(0))
	_, err := p.file.WriteAt([]byte("another way"), 0)
	p.must(err)
	p.must(p.file.Sync())
	p.wantBytes([]byte("another way"))
}

// TestClone is about whatever file system has the temporary folders: a clone is right, or
// an error leaves a file that can be used.
func TestClone(t *testing.T) {
	dir := t.TempDir()
	p := newPair(t, dir, dir)
	switch err := p.clone(); {
	case err == nil:
		p.wantBytes(p.bytes)
		p.wantApart()
	case runtime.GOOS == "darwin":
		t.Errorf("APFS cannot clone: %v", err)
	case runtime.GOOS != "linux" && !errors.Is(err, errors.ErrUnsupported):
		t.Errorf("error %v, want %v", err, errors.ErrUnsupported)
	}
	p.wantUsable()
}

// TestCloneClosed is about files that are none.
func TestCloneClosed(t *testing.T) {
	dir := t.TempDir()
	p := newPair(t, dir, dir)
	p.must(p.source.Close())
	if err := p.clone(); err == nil {
		t.Error("a closed source was cloned")
	}
	p.wantUsable()
}

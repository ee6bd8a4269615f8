package reflink

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCloneAttributes sees that a clone has nothing of its source but the bytes.
func TestCloneAttributes(t *testing.T) {
	dir := t.TempDir()
	p := newPair(t, dir, dir)
	p.must(unix.Setxattr(p.source.Name(), "com.example.mark", []byte("x"), 0))
	p.must(p.clone())
	p.wantBytes(p.bytes)
	if _, err := unix.Getxattr(p.root.Name()+"/sub/file", "com.example.mark", nil); !errors.Is(err, unix.ENOATTR) {
		t.Errorf("the clone has the source's attribute: %v", err)
	}
}

// TestCloneFlags has a source whose clone could not be removed.
func TestCloneFlags(t *testing.T) {
	dir := t.TempDir()
	p := newPair(t, dir, dir)
	const immutable = 0x2 // UF_IMMUTABLE
	p.must(syscall.Chflags(p.source.Name(), immutable))
	t.Cleanup(func() { syscall.Chflags(p.source.Name(), 0) })
	if err := p.clone(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v, want %v", err, errors.ErrUnsupported)
	}
	p.wantUsable()
}

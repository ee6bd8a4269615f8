//go:build unix

package regularfile_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/regularfile"
)

func TestReadIrregular(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := os.Symlink("fifo", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fifo", "socket", "link"} {
		for by, read := range reads(t, dir, name, 1) {
			_, err := read()
			wantIrregular(t, name+" by "+by, err)
		}
	}
}

// A FIFO may come to a file's place after that was looked at.
func TestOpenFIFODoesNotWait(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o666); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_RDONLY|regularfile.NoWait, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
}

func TestOpenFollowsNoLink(t *testing.T) {
	name := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(os.DevNull, name); err != nil {
		t.Fatal(err)
	}
	if file, err := os.OpenFile(name, os.O_RDONLY|regularfile.NoFollow, 0); err == nil {
		file.Close()
		t.Error("the link was followed")
	}
}

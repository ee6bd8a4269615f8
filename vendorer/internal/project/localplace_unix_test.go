//go:build unix

package project

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// No FIFO, socket or device is a local file, and none is opened or waited for.
func TestFault45b_IrregularLocalFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for module, names := range map[string][]string{dir: {"fifo", "socket"}, "/dev": {"null", "zero"}} {
		for _, name := range names {
			_, err := inModule(module).measureLocalFile(context.Background(), name, 1000)
			if want := name + " is not a regular file"; text(err) != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
}

// A FIFO that comes to the place of a file is not waited for.
func TestFault45d_FileSwappedForFIFO(t *testing.T) {
	dir, root := newTree(t)
	name := filepath.Join(dir, "folder", "a")
	seen := lstat(t, root, "folder/a")
	swap(t, name, func() error { return syscall.Mkfifo(name, 0o666) })
	if file, _, err := openSeenFile(root, "folder/a", seen); err == nil {
		file.Close()
		t.Error("a FIFO was read")
	}
}

// A file that may not be read is not missing.
func TestLocalFileUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("no permission stops root")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := inModule(dir).measureLocalFile(context.Background(), "a", 1); text(err) != "open a: permission denied" {
		t.Errorf("got %v", err)
	}
}

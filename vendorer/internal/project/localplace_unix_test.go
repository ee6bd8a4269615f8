//go:build unix

package project

import (
	"context"
	"errors"
	"io/fs"
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

// newTree returns a root with a folder "folder" and a folder "other", each with a file.
func newTree(t *testing.T) (dir string, root *os.Root) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"folder", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "a"), []byte("1234"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return dir, root
}

// swap puts what make makes in the place of a file or folder.
func swap(t *testing.T, name string, make func() error) {
	t.Helper()
	if err := os.Rename(name, name+".was"); err != nil {
		t.Fatal(err)
	}
	if err := make(); err != nil {
		t.Fatal(err)
	}
}

func lstat(t *testing.T, root *os.Root, name string) fs.FileInfo {
	t.Helper()
	info, err := root.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// What comes to the place of a folder after the look at it is not entered.
func TestFault45d_FolderSwapped(t *testing.T) {
	for by, make := range map[string]func(dir string) error{
		"a link to another folder": func(dir string) error { return os.Symlink("other", filepath.Join(dir, "folder")) },
		"another folder":           func(dir string) error { return os.Rename(filepath.Join(dir, "other"), filepath.Join(dir, "folder")) },
	} {
		t.Run(by, func(t *testing.T) {
			dir, root := newTree(t)
			seen := lstat(t, root, "folder")
			swap(t, filepath.Join(dir, "folder"), func() error { return make(dir) })
			if _, err := openSeenFolder(root, "folder", seen); !errors.As(err, new(*ChangedError)) {
				t.Errorf("got %v", err)
			}
		})
	}
	dir, root := newTree(t)
	seen := lstat(t, root, "folder")
	outside := t.TempDir()
	swap(t, filepath.Join(dir, "folder"), func() error { return os.Symlink(outside, filepath.Join(dir, "folder")) })
	if _, err := openSeenFolder(root, "folder", seen); err == nil {
		t.Error("a link out of the root was followed")
	}
	folder, err := openSeenFolder(root, "other", lstat(t, root, "other"))
	if err != nil {
		t.Fatal(err)
	}
	folder.Close()
}

// What comes to the place of a file after the look at it is not read.
func TestFault45d_FileSwapped(t *testing.T) {
	for by, make := range map[string]func(name string) error{
		"a link to another file": func(name string) error { return os.Symlink("../other/a", name) },
		"another file":           func(name string) error { return os.WriteFile(name, []byte("1234"), 0o666) },
	} {
		t.Run(by, func(t *testing.T) {
			dir, root := newTree(t)
			name := filepath.Join(dir, "folder", "a")
			seen := lstat(t, root, "folder/a")
			swap(t, name, func() error { return make(name) })
			if _, _, err := openSeenFile(root, "folder/a", seen); !errors.As(err, new(*ChangedError)) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, root := newTree(t)
	file, info, err := openSeenFile(root, "folder/a", lstat(t, root, "folder/a"))
	if err != nil || info.Size() != 4 {
		t.Fatal(info, err)
	}
	file.Close()
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

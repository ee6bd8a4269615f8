//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"
)

// TestMode needs the umask, which is the process's: no test here is parallel.
func TestMode(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o027, 0o077} {
		dir := newFolder(t)
		dir.put("target", "old")
		must(t, os.Chmod(dir.path("target"), 0o400))
		old := syscall.Umask(umask)
		err := writeFile(dir.Root, "target", []byte("new"))
		syscall.Umask(old)
		must(t, err)
		info, err := dir.Lstat("target")
		must(t, err)
		if want := fs.FileMode(0o666 &^ umask); info.Mode() != want {
			t.Errorf("umask %03o: mode %v, want %v", umask, info.Mode(), want)
		}
	}
}

// TestCommitOntoSymlink sees that a link in the target's place is replaced and
// what it leads to is not touched, be it in the root or outside.
func TestCommitOntoSymlink(t *testing.T) {
	outside, dir := newFolder(t), newFolder(t)
	outside.put("victim", "outside")
	dir.put("victim", "inside")
	for _, link := range []string{outside.path("victim"), "victim", "missing"} {
		must(t, os.Symlink(link, dir.path("target")))
		must(t, writeFile(dir.Root, "target", []byte("new")))
		info, err := dir.Lstat("target")
		must(t, err)
		if !info.Mode().IsRegular() {
			t.Errorf("target has mode %v", info.Mode())
		}
		dir.wantFile("target", "new")
		dir.wantNames("target", "victim")
		must(t, dir.Remove("target"))
	}
	dir.wantFile("victim", "inside")
	outside.wantFile("victim", "outside")
}

// TestSymlinkOut is about a directory on the target's path that leads out of
// the root.
func TestSymlinkOut(t *testing.T) {
	outside, dir := newFolder(t), newFolder(t)
	temp := ".packvendor-0123456789abcdef.tmp"
	outside.put(temp, "")
	must(t, os.Symlink(outside.Name(), dir.path("link")))
	wantError(t, writeFile(dir.Root, "link/target", nil), "create "+dir.path("link/target")+": path escapes from parent")
	wantError(t, SyncDir(dir.Root, "link"), "sync "+dir.path("link")+": path escapes from parent")
	Sweep(dir.Root, "link")
	outside.wantNames(temp)
}

// TestSweepSymlink sees that a link with a temporary's name is removed itself.
func TestSweepSymlink(t *testing.T) {
	outside, dir := newFolder(t), newFolder(t)
	outside.put("victim", "outside")
	must(t, os.Symlink(outside.path("victim"), dir.path(".packvendor-0123456789abcdef.tmp")))
	Sweep(dir.Root, ".")
	dir.wantNames()
	outside.wantFile("victim", "outside")
}

// TestFault33_FailedSync puts a pipe in the file's place, which cannot be synced
// or truncated: the caller is told, and the target stays.
func TestFault33_FailedSync(t *testing.T) {
	dir := newFolder(t)
	dir.put("target", "old")
	path := dir.path("target")
	f := dir.create("target")
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	must(t, f.file.Close())
	f.file = w
	wantError(t, f.Reset(), "truncate "+path+": invalid argument")
	wantError(t, f.Finish(), "sync "+path+": invalid argument")
	f.Discard()
	dir.wantFile("target", "old")
	dir.wantNames("target")
}

func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write to any directory")
	}
	dir := newFolder(t)
	dir.put("target", "old")
	f := dir.create("target")
	must(t, f.Finish())
	must(t, os.Chmod(dir.Name(), 0o555))
	defer os.Chmod(dir.Name(), 0o755)
	path := dir.path("target")
	wantError(t, writeFile(dir.Root, "target", nil), "create "+path+": permission denied")
	err := f.Commit()
	wantError(t, err, "rename "+path+": permission denied")
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v is not fs.ErrPermission", err)
	}
	Sweep(dir.Root, ".")
	dir.wantFile("target", "old")
}

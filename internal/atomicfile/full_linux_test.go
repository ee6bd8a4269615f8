package atomicfile

import (
	"errors"
	"runtime"
	"syscall"
	"testing"
)

// TestFault32FileSizeLimit lowers ulimit -f for this process: the error comes
// back as such, and the signal that the system sends with it kills nobody.
func TestFault32FileSizeLimit(t *testing.T) {
	dir := newFolder(t)
	dir.put("target", "old")
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: old.Max}))
	err := WriteFile(dir.Root, "target", make([]byte, 4097))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
	wantError(t, err, "write "+dir.path("target")+": file too large")
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("error %v is not EFBIG", err)
	}
	dir.wantFile("target", "old")
	dir.wantNames("target")
}

// TestFault31FullFileSystem fills a file system of one page.
func TestFault31FullFileSystem(t *testing.T) {
	onSmallTmpfs(t, func(mount string) {
		dir := openFolder(t, mount)
		dir.put("target", "old")
		err := WriteFile(dir.Root, "target", make([]byte, 1<<20))
		wantError(t, err, "write "+dir.path("target")+": no space left on device")
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v is not ENOSPC", err)
		}
		dir.wantFile("target", "old")
		dir.wantNames("target")
		must(t, WriteFile(dir.Root, "target", []byte("new")))
		dir.wantFile("target", "new")
		dir.Close()
	})
}

// onSmallTmpfs runs f with a file system of 64 KiB, which only f's own thread
// sees and which is gone with it.
func onSmallTmpfs(t *testing.T, f func(mount string)) {
	t.Helper()
	mount := t.TempDir()
	var refused error
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		if refused = syscall.Unshare(syscall.CLONE_NEWNS); refused != nil {
			return
		}
		if refused = syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); refused != nil {
			return
		}
		if refused = syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=64k"); refused == nil {
			f(mount)
		}
	}()
	if <-done; refused != nil {
		t.Skipf("no small file system can be mounted: %v", refused)
	}
}

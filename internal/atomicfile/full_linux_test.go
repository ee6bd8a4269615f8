package atomicfile

import (
	"errors"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// TestFault32_FileSizeLimit lowers ulimit -f for this process: the error comes
// back as such, and the signal that the system sends with it kills nobody.
func TestFault32_FileSizeLimit(t *testing.T) {
	dir := newFolder(t)
	dir.put("target", "old")
	var old syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: old.Max}))
	err := writeFile(dir.Root, "target", make([]byte, 4097))
	must(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
	wantError(t, err, "write "+dir.path("target")+": file too large")
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("error %v is not EFBIG", err)
	}
	dir.wantFile("target", "old")
	dir.wantNames("target")
}

// TestFault31_FullFileSystem fills a small file system.
func TestFault31_FullFileSystem(t *testing.T) {
	disk.On(t, t.TempDir(), "64k", func(volume disk.Disk) {
		dir := openFolder(t, volume.Dir)
		dir.put("target", "old")
		err := writeFile(dir.Root, "target", make([]byte, 1<<20))
		wantError(t, err, "write "+dir.path("target")+": no space left on device")
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v is not ENOSPC", err)
		}
		dir.wantFile("target", "old")
		dir.wantNames("target")
		must(t, writeFile(dir.Root, "target", []byte("new")))
		dir.wantFile("target", "new")
		dir.Close()
	})
}

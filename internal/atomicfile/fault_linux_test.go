//go:build amd64 || arm64

package atomicfile

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/greenticai/packvendor/internal/packtest/syscalls"
)

// TestFault33_IOErrors lets one system call after the other fail with EIO. The
// error names the target, which stays as it was, and no temporary is left.
func TestFault33_IOErrors(t *testing.T) {
	for _, test := range []struct {
		op     string
		number uint32
		write  func(folder) error
	}{
		{"sync", syscall.SYS_FSYNC, func(f folder) error { return writeFile(f.Root, "target", []byte("new")) }},
		{"close", syscall.SYS_CLOSE, func(f folder) error { return writeFile(f.Root, "target", []byte("new")) }},
		{"rename", syscall.SYS_RENAMEAT, func(f folder) error { return writeFile(f.Root, "target", []byte("new")) }},
		{"create", syscall.SYS_OPENAT, func(f folder) error { return writeFile(f.Root, "target", []byte("new")) }},
		{"truncate", syscall.SYS_FTRUNCATE, func(f folder) error { return f.create("target").Reset() }},
		{"seek", syscall.SYS_LSEEK, func(f folder) error { return f.create("target").Reset() }},
	} {
		t.Run(test.op, func(t *testing.T) {
			dir := newFolder(t)
			dir.put("target", "old")
			// Its cleanup runs after that of what write makes.
			t.Cleanup(func() { dir.wantNames("target") })
			syscalls.Failing(t, syscall.EIO, func() {
				err := test.write(dir)
				wantError(t, err, test.op+" "+dir.path("target")+": input/output error")
				if !errors.Is(err, syscall.EIO) {
					t.Errorf("error %v is not EIO", err)
				}
			}, test.number)
			dir.wantFile("target", "old")
		})
	}
}

// TestWriteEarlyFails lets the system refuse to begin: the file is written all the
// same.
func TestWriteEarlyFails(t *testing.T) {
	dir := newFolder(t)
	data := make([]byte, part+1)
	syscalls.Failing(t, syscall.EIO, func() {
		f := dir.create("target")
		f.WriteEarly()
		_, err := f.Write(data)
		must(t, err)
		must(t, CommitAll(f))
	}, unix.SYS_SYNC_FILE_RANGE)
	dir.wantFile("target", string(data))
}

// TestSyncDirUnsupported tells a directory that cannot be synced from one that
// failed to be.
func TestSyncDirUnsupported(t *testing.T) {
	dir := newFolder(t)
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.ENOTSUP, syscall.EACCES} {
		syscalls.Failing(t, errno, func() {
			if err := SyncDir(dir.Root, "."); err != nil {
				t.Errorf("%v: %v", errno, err)
			}
		}, syscall.SYS_FSYNC)
	}
	syscalls.Failing(t, syscall.EIO, func() {
		wantError(t, SyncDir(dir.Root, "."), "sync "+dir.path(".")+": input/output error")
	}, syscall.SYS_FSYNC)
}

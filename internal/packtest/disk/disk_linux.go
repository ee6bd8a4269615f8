// Package disk gives a test a file system that fails.
package disk

import (
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A Disk is a small file system that is seen by the goroutine it is made for,
// and by processes which that starts, and gone with it.
type Disk struct{ Dir string }

// On runs f with a new disk of so many bytes in the empty directory dir. The
// test is skipped for others than root, who cannot mount anything.
func On(tb packtest.Skipper, dir string, size string, f func(Disk)) {
	if os.Getuid() != 0 {
		tb.Skipf("only root can mount a file system")
	}
	mount := func() error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size) }
	if err := apart(mount, func() { f(Disk{dir}) }); err != nil {
		packtest.Unable(tb, "no file system can be mounted: %v", err)
	}
}

// apart runs f in a thread of its own that has mounts of its own, to which mount adds
// first. The error is why that cannot be; f has not run then.
func apart(mount func() error, f func()) (refused error) {
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
		if refused = mount(); refused == nil {
			f()
		}
	}()
	<-done
	return refused
}

// Fill takes all room but so many bytes, for a file of that name.
func (d Disk) Fill(name string, but int64) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	var size int64
	page := []byte(strings.Repeat("x", os.Getpagesize()))
	for {
		n, err := file.Write(page)
		if size += int64(n); err != nil {
			return file.Truncate(max(0, size-but))
		}
	}
}

// ReadOnly lets nobody write from now on, root included.
func (d Disk) ReadOnly() error {
	return syscall.Mount("tmpfs", d.Dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// Package disk gives a test a file system that fails.
package disk

import (
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A Disk is a small temporary file system. Only its goroutine and the processes that
// this starts see it.
type Disk struct{ Dir string }

// On runs f with a new disk of so many bytes in the empty directory dir. It skips the
// test for other users than root, who cannot mount.
func On(tb packtest.Skipper, dir string, size string, f func(Disk)) {
	if os.Getuid() != 0 {
		tb.Skipf("only root can mount a file system")
	}
	mount := func() error { return syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size) }
	if err := apart(mount, func() { f(Disk{dir}) }); err != nil {
		packtest.Unable(tb, "no file system can be mounted: %v", err)
	}
}

// apart runs f in its own thread with its own mounts, after mount has added to them. If
// it returns an error, f has not run.
func apart(mount func() error, f func()) (refused error) {
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
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

// Fill fills the disk except so many bytes, with a file of that name.
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

// ReadOnly forbids all writes from now on, to root too.
func (d Disk) ReadOnly() error {
	return syscall.Mount("tmpfs", d.Dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// Package disk gives a test a file system that fails.
package disk

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

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

// A Cuttable is a file system with a journal on a loop device. Its power can be
// cut: what has not reached the device then never will. Like a Disk it is seen by the
// goroutine it is made for, and by processes which that starts, and gone with it.
type Cuttable struct {
	Dir    string
	kind   string
	device *os.File // a loop device; when it is closed and no longer mounted, it is free
}

// imageSize is how large a disk is, in bytes: mkfs.xfs makes none under 300 MB. The
// image has holes where nothing was written.
const imageSize = 600 << 20

// OnCuttable runs f with a new file system of that kind, ext4 or xfs, with mkfs's
// own options, made in the empty directory dir. The test is skipped for others than
// root, and where mkfs or loop devices are missing.
func OnCuttable(tb packtest.Skipper, dir, kind string, f func(*Cuttable)) {
	tb.Helper()
	if os.Getuid() != 0 {
		tb.Skipf("only root can mount a file system")
	}
	mkfs, err := exec.LookPath("mkfs." + kind)
	if err != nil {
		packtest.Unable(tb, "no %s file system can be made: %v", kind, err)
	}
	image := filepath.Join(dir, "image")
	d := &Cuttable{Dir: filepath.Join(dir, "disk"), kind: kind}
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, imageSize), os.Mkdir(d.Dir, 0o777)); err != nil {
		tb.Fatalf("%v", err)
	}
	if out, err := exec.Command(mkfs, "-q", image).CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", mkfs, err, out)
	}
	if d.device, err = attach(image); err != nil {
		packtest.Unable(tb, "there is no loop device: %v", err)
	}
	defer d.device.Close()
	if err := apart(d.mount, func() {
		defer syscall.Unmount(d.Dir, syscall.MNT_DETACH)
		f(d)
	}); err != nil {
		packtest.Unable(tb, "no %s can be mounted: %v", kind, err)
	}
}

// attach gives a free loop device the image. It is set up such that nobody has to
// take it back.
func attach(image string) (*os.File, error) {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	config := unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
	for range 100 { // another process may take the free one first
		var device *os.File
		if device, err = freeDevice(control); err != nil {
			return nil, err
		}
		if err = unix.IoctlLoopConfigure(int(device.Fd()), &config); err == nil {
			return device, nil
		}
		device.Close()
		if !errors.Is(err, syscall.EBUSY) {
			break
		}
	}
	return nil, err
}

func freeDevice(control *os.File) (*os.File, error) {
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, os.NewSyscallError("ioctl", err)
	}
	return os.OpenFile("/dev/loop"+strconv.Itoa(number), os.O_RDWR, 0)
}

func (d *Cuttable) mount() error {
	return syscall.Mount(d.device.Name(), d.Dir, d.kind, 0, "")
}

// Sync has all that was written reach the device.
func (d *Cuttable) Sync() error {
	dir, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(dir.Fd())))
}

// Cut cuts the power. Nothing can be read or written any more until Restart.
func (d *Cuttable) Cut() error {
	dir, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return CutPower(dir)
}

// CutPower cuts the power of the disk that the open directory dir is on. It takes no
// step (see syscalls.Stepping).
func CutPower(dir *os.File) error {
	// EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same, and so are their flags. With
	// this one not even the journal is written that the kernel has in memory.
	const shutdown, noLogFlush = 0x8004_587d, 2
	return os.NewSyscallError("ioctl", unix.IoctlSetPointerInt(int(dir.Fd()), shutdown, noLogFlush))
}

// Restart is what follows a cut: the file system is mounted anew, which brings its
// journal to bear.
func (d *Cuttable) Restart() error {
	const tries, pause = 500, 10 * time.Millisecond
	var err error
	for range tries { // a process that starts elsewhere holds our files until its program runs
		if err = syscall.Unmount(d.Dir, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(pause)
	}
	if err != nil {
		return os.NewSyscallError("umount", err)
	}
	return os.NewSyscallError("mount", d.mount())
}

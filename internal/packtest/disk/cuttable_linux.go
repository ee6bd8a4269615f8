package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A Cuttable is a file system on a loop device. A power cut loses the bytes that have not
// reached the device. Only its goroutine and the processes that this starts see it.
type Cuttable struct {
	Dir    string
	kind   string
	image  string
	device *os.File // a loop device, free once it is closed and unmounted
}

// imageSize is the size of a disk, in bytes: mkfs.xfs needs 300 MB, mkfs.btrfs 109 MB. Unwritten parts of
// the image are holes.
const imageSize = 600 << 20

// OnCuttable runs f with a new file system of that kind, ext4, xfs or btrfs, with mkfs's
// default options, made in the empty directory dir. It skips the test for other users
// than root, and without mkfs or loop devices.
func OnCuttable(tb packtest.Skipper, dir, kind string, f func(*Cuttable)) {
	tb.Helper()
	if os.Getuid() != 0 {
		tb.Skipf("only root can mount a file system")
	}
	if err := WithCuttable(dir, kind, f); err != nil {
		packtest.Unable(tb, "%v", err)
	}
}

// WithCuttable is OnCuttable outside a test. Its error says why f has not run.
func WithCuttable(dir, kind string, f func(*Cuttable)) error {
	d := &Cuttable{Dir: filepath.Join(dir, "disk"), kind: kind, image: filepath.Join(dir, "image")}
	if err := errors.Join(os.WriteFile(d.image, nil, 0o600), os.Truncate(d.image, imageSize), os.Mkdir(d.Dir, 0o777)); err != nil {
		return err
	}
	if out, err := exec.Command("mkfs."+kind, "-q", d.image).CombinedOutput(); err != nil {
		return fmt.Errorf("no %s file system can be made: %w: %s", kind, err, out)
	}
	var err error
	if d.device, err = attach(d.image); err != nil {
		return fmt.Errorf("there is no loop device: %w", err)
	}
	defer func() { d.device.Close() }()
	if err := apart(d.mount, func() {
		defer syscall.Unmount(d.Dir, syscall.MNT_DETACH)
		f(d)
	}); err != nil {
		return fmt.Errorf("no %s can be mounted: %w", kind, err)
	}
	return nil
}

// attach binds the image to a free loop device, which detaches itself after use.
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

// Sync writes all data to the device.
func (d *Cuttable) Sync() error {
	dir, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(dir.Fd())))
}

// Cut cuts the power. Reads and writes fail until Restart.
func (d *Cuttable) Cut() error {
	if d.kind == "btrfs" {
		return d.turnBack()
	}
	dir, err := os.Open(d.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return CutPower(dir)
}

// CutPower cuts the power of the disk of the open directory dir, which is not Btrfs. It
// takes no step (see syscalls.Stepping).
func CutPower(dir *os.File) error {
	// EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are the same, and so are their flags.
	// This flag also drops the journal in the kernel's memory.
	const shutdown, noLogFlush = 0x8004_587d, 2
	return os.NewSyscallError("ioctl", unix.IoctlSetPointerInt(int(dir.Fd()), shutdown, noLogFlush))
}

// turnBack cuts the power of a file system that has no call for that: it unmounts the file
// system, which writes more bytes, and then gives the device those that it had before.
func (d *Cuttable) turnBack() error {
	before := d.image + ".before"
	if out, err := exec.Command("cp", "--sparse=always", d.image, before).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	if err := d.unmount(); err != nil {
		return err
	}
	err := errors.Join(d.device.Close(), os.Rename(before, d.image))
	if err != nil {
		return err
	}
	d.device, err = attach(d.image)
	return err
}

// Restart mounts the file system again after a cut, which replays its journal.
func (d *Cuttable) Restart() error {
	if d.kind != "btrfs" {
		if err := d.unmount(); err != nil {
			return err
		}
	}
	return os.NewSyscallError("mount", d.mount())
}

func (d *Cuttable) unmount() error {
	const tries, pause = 500, 10 * time.Millisecond
	var err error
	for range tries { // a starting process elsewhere holds our files until its program runs
		if err = syscall.Unmount(d.Dir, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(pause)
	}
	return os.NewSyscallError("umount", err)
}

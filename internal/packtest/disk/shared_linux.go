package disk

import (
	"os"
	"syscall"
	"unsafe"
)

// Shared returns how many bytes of a file stand in blocks that other files have, too, and
// how many it has in all, as far as they have blocks of their own: a Btrfs keeps small
// files elsewhere.
func Shared(name string) (shared, all uint64, err error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	const (
		fiemap   = 0xc020_660b // FS_IOC_FIEMAP
		sync     = 0x1         // FIEMAP_FLAG_SYNC
		isLast   = 0x1         // FIEMAP_EXTENT_LAST
		isShared = 0x2000      // FIEMAP_EXTENT_SHARED
	)
	for start := uint64(0); ; {
		// struct fiemap, https://docs.kernel.org/filesystems/fiemap.html
		request := struct {
			start, length           uint64
			flags, mapped, count, _ uint32
			extents                 [64]struct {
				logical, physical, length uint64
				_                         [2]uint64
				flags                     uint32
				_                         [3]uint32
			}
		}{start: start, length: ^uint64(0) - start, flags: sync, count: 64}
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), fiemap, uintptr(unsafe.Pointer(&request))); errno != 0 {
			return 0, 0, os.NewSyscallError("ioctl", errno)
		}
		if request.mapped == 0 {
			return shared, all, nil
		}
		for _, extent := range request.extents[:request.mapped] {
			start = extent.logical + extent.length
			all += extent.length
			if extent.flags&isShared != 0 {
				shared += extent.length
			}
			if extent.flags&isLast != 0 {
				return shared, all, nil
			}
		}
	}
}

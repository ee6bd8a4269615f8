//go:build !noreflink

package reflink

import (
	"os"

	"golang.org/x/sys/unix"
)

// clone is FICLONE, ioctl_ficlone(2).
func clone(_ *os.Root, _ string, file, source *os.File) (*os.File, error) {
	return file, withDescriptors(file, source, func(to, from int) error {
		return os.NewSyscallError("ioctl", unix.IoctlFileClone(to, from))
	})
}

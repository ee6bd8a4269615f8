package packcache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// removeDir leaves a folder that someone has open as one that is not empty.
func removeDir(path string) error {
	const sharingViolation = syscall.Errno(32)
	err := os.Remove(path)
	if errors.Is(err, sharingViolation) {
		return &fs.PathError{Op: "remove", Path: path, Err: fs.ErrExist}
	}
	return err
}

//go:build !noreflink

package reflink

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// clone is fclonefileat(2), which makes a new file: clone removes the empty one before,
// and makes it anew if the file system cannot clone.
func clone(root *os.Root, name string, file, source *os.File) (*os.File, error) {
	info, err := file.Stat()
	if err != nil {
		return file, err
	}
	if err := checkFlags(source); err != nil {
		return file, err
	}
	mode := info.Mode().Perm()
	if err := root.Remove(name); err != nil {
		return file, err
	}
	next, err := cloneAnew(root, name, mode, source)
	if err != nil {
		root.Remove(name)
		var failure error
		if next, failure = root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode); failure != nil {
			return file, failure
		}
	}
	file.Close()
	return next, err
}

// checkFlags refuses a source with flags, such as "immutable" or "compressed": a clone
// would have them, too.
func checkFlags(source *os.File) error {
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if info.Sys().(*syscall.Stat_t).Flags != 0 {
		return errors.ErrUnsupported
	}
	return nil
}

// cloneAnew clones source to a name that is free. The clone is like a file that was just
// made with that mode, and opened: it has the user's ownership, the time of now, and no
// extended attributes of source. Its access control list is that of the folder.
func cloneAnew(root *os.Root, name string, mode fs.FileMode, source *os.File) (*os.File, error) {
	dir, err := root.Open(path.Dir(name))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := withDescriptors(dir, source, func(to, from int) error {
		return os.NewSyscallError("fclonefileat", unix.Fclonefileat(from, to, path.Base(name), unix.CLONE_NOOWNERCOPY))
	}); err != nil {
		return nil, err
	}
	if err := root.Chmod(name, mode); err != nil {
		return nil, err
	}
	now := time.Now()
	if err := root.Chtimes(name, now, now); err != nil {
		return nil, err
	}
	file, err := root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := removeAttributes(file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// removeAttributes removes a file's extended attributes, except for those that the
// system itself keeps on files.
func removeAttributes(file *os.File) error {
	return withDescriptors(file, file, func(fd, _ int) error {
		size, err := unix.Flistxattr(fd, nil)
		if err != nil || size == 0 {
			return os.NewSyscallError("flistxattr", err)
		}
		names := make([]byte, size)
		if size, err = unix.Flistxattr(fd, names); err != nil {
			return os.NewSyscallError("flistxattr", err)
		}
		for _, name := range strings.Split(strings.TrimSuffix(string(names[:size]), "\x00"), "\x00") {
			err := unix.Fremovexattr(fd, name)
			if err != nil && !errors.Is(err, fs.ErrPermission) {
				return os.NewSyscallError("fremovexattr", err)
			}
		}
		return nil
	})
}

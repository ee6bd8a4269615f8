// Package regularfile reads regular files: it refuses all others, never waits for a FIFO's
// writer, and bounds the bytes in memory.
package regularfile

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// A PlaceError says why a path cannot be read or written as a regular file.
type PlaceError struct{ Path, Reason string }

func (e *PlaceError) Error() string { return e.Path + " " + e.Reason }

// A LongError reports a file of more than Limit bytes.
type LongError struct {
	File  string
	Limit int64
}

func (e *LongError) Error() string {
	return fmt.Sprintf("%s: the file is larger than %d bytes", e.File, e.Limit)
}

// Open opens a regular file below root or, if root is nil, anywhere. info describes the
// opened file. Errors: *PlaceError, *fs.PathError.
func Open(root *os.Root, name string) (file *os.File, info fs.FileInfo, err error) {
	stat := os.Stat
	if root != nil {
		stat = root.Stat
	}
	if info, err := stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, nil, &PlaceError{Path: name, Reason: irregular}
	}
	return OpenSeen(root, name)
}

// OpenSeen is Open of a file that the caller saw to be regular, by a look that follows no link:
// opening a device can have effects.
func OpenSeen(root *os.Root, name string) (file *os.File, info fs.FileInfo, err error) {
	open := os.OpenFile
	if root != nil {
		open = root.OpenFile
	}
	if file, err = open(name, os.O_RDONLY|NoWait, 0); err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err == nil && !info.Mode().IsRegular() {
		err = &PlaceError{Path: name, Reason: irregular}
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// Read reads a regular file of at most limit bytes. Its errors are those of Open and
// of ReadAll.
func Read(root *os.Root, name string, limit int64) ([]byte, error) {
	file, info, err := Open(root, name)
	return readOpen(name, file, info, err, limit)
}

// ReadSeen is Read of a file that the caller saw to be regular, by a look that follows no link.
func ReadSeen(root *os.Root, name string, limit int64) ([]byte, error) {
	file, info, err := OpenSeen(root, name)
	return readOpen(name, file, info, err, limit)
}

func readOpen(name string, file *os.File, info fs.FileInfo, err error, limit int64) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return ReadAll(name, file, info.Size(), limit)
}

// ReadAll reads r, the file name, to its end. More than limit bytes are a *LongError. size
// is an estimate.
func ReadAll(name string, r io.Reader, size, limit int64) ([]byte, error) {
	var data bytes.Buffer
	data.Grow(int(min(size, limit)) + bytes.MinRead) // ReadFrom wants that much room
	n, err := data.ReadFrom(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, &LongError{File: name, Limit: limit}
	}
	return data.Bytes(), nil
}

const irregular = "is not a regular file"

// Irregular says why a file is not regular; "" if it is.
func Irregular(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case mode.IsDir():
		return "is a directory"
	case !mode.IsRegular():
		return irregular
	}
	return ""
}

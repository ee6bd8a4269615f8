// Package outputfile writes a file that the user names, with -o for example: whole or not at all.
package outputfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// A File is the place of a file, before it is written.
type File struct {
	dir  *os.Root
	path string
}

// Open opens the directory of path. The caller must close the File. The error is
// *regularfile.PlaceError if there is no directory, or if path is no regular file: writing
// by rename would replace a device or a link.
func Open(path string) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, &regularfile.PlaceError{Path: path, Reason: "is a directory"}
	}
	if info, err := os.Lstat(path); err == nil {
		if reason := regularfile.Irregular(info); reason != "" {
			return nil, &regularfile.PlaceError{Path: path, Reason: reason}
		}
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &regularfile.PlaceError{Path: dir, Reason: "does not exist"}
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return nil, &regularfile.PlaceError{Path: dir, Reason: "is not a directory"}
	case err != nil:
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &File{dir: root, path: path}, nil
}

// Path is the path of the file, as it was opened.
func (f *File) Path() string { return f.path }

// Write has write write the file. After an error the place has what it had before. A file that
// is there keeps its mode, as with the > of a shell.
func (f *File) Write(write func(*atomicfile.File) error) error {
	file, err := atomicfile.Create(f.dir, filepath.Base(f.path))
	if err != nil {
		return err
	}
	defer file.Discard()
	file.WriteEarly()
	if err := file.KeepMode(); err != nil { // before the bytes: a mode may hide them
		return err
	}
	if err := write(file); err != nil {
		return err
	}
	if err := atomicfile.CommitAll(file); err != nil {
		return err
	}
	return atomicfile.SyncDir(f.dir, ".")
}

// WriteBytes writes data as the file.
func (f *File) WriteBytes(data []byte) error {
	return f.Write(func(file *atomicfile.File) error {
		_, err := file.Write(data)
		return err
	})
}

// Close closes the directory.
func (f *File) Close() error { return f.dir.Close() }

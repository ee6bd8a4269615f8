// Package scratch makes private temporary files for packs.
package scratch

import (
	"io"
	"os"
)

// A File is a temporary file.
type File struct {
	file *os.File
	size int64
}

// New makes an empty File, which no other user can read. The caller must close or keep it.
func New() (*File, error) {
	file, err := os.CreateTemp("", "packvendor-*.gtpack")
	if err != nil {
		return nil, err
	}
	return &File{file: file}, nil
}

// Write appends p.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.size += int64(n)
	return n, err
}

// ReadAt is that of an [io.ReaderAt].
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

// Size returns how many bytes were written.
func (f *File) Size() int64 { return f.size }

// Reader reads all of f.
func (f *File) Reader() io.Reader { return io.NewSectionReader(f, 0, f.size) }

// Reset makes f empty.
func (f *File) Reset() error {
	f.size = 0
	if err := f.file.Truncate(0); err != nil {
		return err
	}
	_, err := f.file.Seek(0, io.SeekStart)
	return err
}

// Close removes the file.
func (f *File) Close() error {
	err := f.file.Close()
	if removeErr := os.Remove(f.file.Name()); err == nil {
		err = removeErr
	}
	return err
}

// Keep closes f without removing the file, and returns its path. If that fails, it removes
// the file.
func (f *File) Keep() (path string, err error) {
	if err := f.file.Close(); err != nil {
		os.Remove(f.file.Name())
		return "", err
	}
	return f.file.Name(), nil
}

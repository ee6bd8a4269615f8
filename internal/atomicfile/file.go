// Package atomicfile writes files: completely to a temporary beside the target, then to
// the disk, then by rename. After a power cut every name has its old or its new bytes.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// Temporaries have names that Sweep recognises.
const (
	tempPrefix = ".packvendor-"
	tempSuffix = ".tmp"
)

// A File is a file before its commit. Its bytes stand under a temporary name in the
// target's directory; the target is never half written. One goroutine uses a File.
type File struct {
	root    *os.Root
	name    string // slash-separated, below root
	temp    string
	file    *os.File // nil once closed
	durable bool     // its bytes have reached the disk
	renamed bool

	early     bool                              // writeback starts while more bytes come
	writeback func(file *os.File, off, n int64) // starts it
	written   int64                             // bytes
	begun     int64                             // of these, handed to writeback
}

// part is the number of bytes after which writeback starts again.
const part = 8 << 20

// Create begins the file name below root. It fails if name's directory does
// not exist. The mode is 0666 less the umask. The caller must call Discard,
// which does nothing after Commit.
func Create(root *os.Root, name string) (*File, error) {
	dir := path.Dir(name)
	for range 100 {
		temp := path.Join(dir, fmt.Sprintf("%s%016x%s", tempPrefix, rand.Uint64(), tempSuffix))
		file, err := root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, located(root, "create", name, err)
		}
		return &File{root: root, name: name, temp: temp, file: file, writeback: beginWriteback}, nil
	}
	return nil, located(root, "create", name, errors.New("no free temporary name"))
}

// Begin is Create, followed by a Write of data.
func Begin(root *os.Root, name string, data []byte) (*File, error) {
	return begin(root, name, data, func(*File) error { return nil })
}

// BeginEdit is Begin of a user's own file: it keeps the file's mode.
func BeginEdit(root *os.Root, name string, data []byte) (*File, error) {
	return begin(root, name, data, (*File).KeepMode)
}

func begin(root *os.Root, name string, data []byte, prepare func(*File) error) (*File, error) {
	f, err := Create(root, name)
	if err != nil {
		return nil, err
	}
	if err = prepare(f); err == nil { // before the bytes: a mode may hide them
		_, err = f.Write(data)
	}
	if err != nil {
		f.Discard()
		return nil, err
	}
	return f, nil
}

// Name returns the target's name below the root.
func (f *File) Name() string { return f.name }

// WriteEarly starts writeback while more bytes come, if the system can do that, so that
// Finish waits less. It is for large files.
func (f *File) WriteEarly() { f.early = true }

// Write appends p to the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.written += int64(n)
	if f.early && f.written-f.begun >= part {
		f.StartWriteback()
	}
	if err != nil {
		return n, located(f.root, "write", f.name, err)
	}
	return n, nil
}

// Reset discards all bytes written so far.
func (f *File) Reset() error {
	if err := f.file.Truncate(0); err != nil {
		return located(f.root, "truncate", f.name, err)
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return located(f.root, "seek", f.name, err)
	}
	f.written, f.begun = 0, 0
	return nil
}

// KeepMode gives f the mode of the file that has its name, if there is one.
func (f *File) KeepMode() error {
	info, err := f.root.Stat(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return located(f.root, "stat", f.name, err)
	}
	return f.chmod(info.Mode())
}

// chmod changes the file's mode.
func (f *File) chmod(mode fs.FileMode) error {
	if err := f.file.Chmod(mode.Perm()); err != nil {
		return located(f.root, "chmod", f.name, err)
	}
	return nil
}

// ReadAt reads the bytes written so far. It fails after Finish.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.file.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = located(f.root, "read", f.name, err)
	}
	return n, err
}

// StartWriteback starts writeback of all bytes, if the system can do that, and does not
// wait for it, so that Finish waits less.
func (f *File) StartWriteback() {
	if f.written > f.begun {
		f.writeback(f.file, f.begun, f.written-f.begun)
		f.begun = f.written
	}
}

// Finish closes the temporary after it has reached the disk. After an error the file
// must not be committed.
func (f *File) Finish() error {
	if err := f.file.Sync(); err != nil {
		f.close()
		return located(f.root, "sync", f.name, err)
	}
	if err := f.close(); err != nil {
		return err
	}
	f.durable = true
	return nil
}

func (f *File) close() error {
	file := f.file
	f.file = nil
	if err := file.Close(); err != nil {
		return located(f.root, "close", f.name, err)
	}
	return nil
}

// Commit renames a finished file to its name, replacing an older one.
func (f *File) Commit() error {
	rename := func() error { return f.root.Rename(f.temp, f.name) }
	if err := persistently(rename, isBusy, time.Sleep); err != nil {
		return located(f.root, "rename", f.name, err)
	}
	f.renamed = true
	return nil
}

// Written returns the number of bytes in the file.
func (f *File) Written() int64 { return f.written }

// Rescue keeps the bytes of a file that will never be committed: it renames the file to
// the name to below over, under which f's directory is dir, and sets its mode. It does
// not wait for the disk.
func (f *File) Rescue(over *os.Root, dir, to string, mode fs.FileMode) error {
	if err := f.chmod(mode); err != nil {
		return err
	}
	if err := f.close(); err != nil {
		return err
	}
	rename := func() error { return over.Rename(path.Join(dir, f.temp), to) }
	if err := persistently(rename, isBusy, time.Sleep); err != nil {
		return located(over, "rename", to, err)
	}
	f.renamed = true
	return nil
}

// Discard removes the temporary of a file that was not committed.
func (f *File) Discard() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
	if !f.renamed {
		f.root.Remove(f.temp) // the next run sweeps it if that fails
	}
}

// together is the number of files that are synced at a time: each takes a thread.
const together = 32

// FinishAll finishes files together, unless they are finished already: a disk writes
// concurrent requests in one go, and a journal in one transaction. It does not sync the
// whole file system (syncfs), which waits for other programs' bytes. After an error no
// file must be committed.
func FinishAll(files ...*File) error {
	files = slices.DeleteFunc(slices.Clone(files), func(f *File) bool { return f.durable })
	if len(files) == 0 {
		return nil
	}
	errs := make([]error, len(files))
	var group errgroup.Group
	group.SetLimit(together)
	for i, f := range files[1:] {
		group.Go(func() error { errs[i+1] = f.Finish(); return nil })
	}
	errs[0] = files[0].Finish()
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// CommitAll finishes files and then, when all of them have reached the disk, renames
// them in order. After an error the first of them may have their names.
func CommitAll(files ...*File) error {
	if err := FinishAll(files...); err != nil {
		return err
	}
	for _, f := range files {
		if err := f.Commit(); err != nil {
			return err
		}
	}
	return nil
}

// SyncDir makes renames in the directory dir below root durable, if the system can do
// that.
func SyncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return located(root, "sync", dir, err)
	}
	defer d.Close()
	err = d.Sync()
	for _, cannot := range []error{nil, errors.ErrUnsupported, syscall.EINVAL, fs.ErrPermission} {
		if errors.Is(err, cannot) {
			return nil
		}
	}
	return located(root, "sync", dir, err)
}

// Sweep removes the temporaries of killed processes from the directory dir below root.
// The caller holds the lock under which they are made.
func Sweep(root *os.Root, dir string) {
	d, err := root.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if IsTemp(name) {
			root.Remove(path.Join(filepath.ToSlash(dir), name))
		}
	}
}

// IsTemp tells whether name, without its directory, is a temporary's.
func IsTemp(name string) bool {
	middle, ok := strings.CutPrefix(name, tempPrefix)
	middle, ok2 := strings.CutSuffix(middle, tempSuffix)
	return ok && ok2 && len(middle) == 16 && strings.Trim(middle, "0123456789abcdef") == ""
}

// located puts the target's full path into an error: a Root's own errors name relative
// paths, and a temporary's name tells a reader nothing.
func located(root *os.Root, op, name string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		err = linkErr.Err
	}
	return &fs.PathError{Op: op, Path: filepath.Join(root.Name(), filepath.FromSlash(name)), Err: err}
}

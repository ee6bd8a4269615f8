package program

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
)

// A NoBuildInfoError says why a program has no build information.
type NoBuildInfoError struct{ Why string }

func (e *NoBuildInfoError) Error() string { return e.Why }

const (
	notRecorded = "the go command recorded none"
	notReadable = "it cannot be read"
)

// maxBuildInfo bounds how much of an image is read for its build information, and with it the
// memory: debug/buildinfo does not bound what a hostile file makes it read. It searches 1 MiB at
// once, and what it returns takes up to twenty times the bytes that it read.
const maxBuildInfo = 3 << 20

// withoutBuildInfo are the formats in which debug/buildinfo finds none, or that it does not read.
var withoutBuildInfo = []Format{Wasm, Plan9, Archive}

// BuildInfo returns what the go command recorded in the program; of a universal Mach-O file,
// in its first image. The error is *NoBuildInfoError.
func (f *File) BuildInfo() (info *debug.BuildInfo, err error) {
	if slices.Contains(withoutBuildInfo, f.Format) {
		return nil, &NoBuildInfoError{Why: fmt.Sprintf("%s files have none", f.Format)}
	}
	defer func() {
		// https://pkg.go.dev/debug/elf#hdr-Security says that it may panic.
		if p := recover(); p != nil {
			info, err = nil, &NoBuildInfoError{Why: notReadable}
		}
	}()
	image := f.images[0].file
	head, ok := boundedHead(image)
	if !ok {
		return nil, &NoBuildInfoError{Why: notReadable}
	}
	r := &boundedReader{r: &patchedReader{ReaderAt: image, head: head}, left: maxBuildInfo}
	info, err = buildinfo.Read(r)
	switch {
	case err == nil:
		return info, nil
	case err.Error() == notGo && !r.failed:
		return nil, &NoBuildInfoError{Why: notRecorded}
	}
	return nil, &NoBuildInfoError{Why: notReadable}
}

// notGo is the text of an error that debug/buildinfo does not export. It returns this error also
// for a file that is cut off.
const notGo = "not a Go executable"

// A boundedReader fails after a number of bytes. Once a read has failed, failed is set.
type boundedReader struct {
	r      io.ReaderAt
	left   int64
	failed bool
}

func (b *boundedReader) ReadAt(p []byte, at int64) (n int, err error) {
	if b.left -= int64(len(p)); b.left < 0 {
		err = io.ErrUnexpectedEOF
	} else {
		n, err = b.r.ReadAt(p, at)
	}
	b.failed = b.failed || n < len(p)
	return n, err
}

// A patchedReader reads other bytes at the beginning.
type patchedReader struct {
	io.ReaderAt
	head []byte
}

func (r *patchedReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(p, at)
	if at < int64(len(r.head)) {
		copy(p[:n], r.head[at:])
	}
	return n, err
}

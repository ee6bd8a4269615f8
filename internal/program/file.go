// Package program finds the packs in a compiled program: their markers and their bytes. It
// reads the file, and never runs it. Its memory is bounded, whatever the file holds.
package program

import (
	"fmt"
	"io"
	"os"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// A File is an executable, or the archive that -buildmode=c-archive writes.
type File struct {
	Format Format
	images []image
	close  func() error
}

// An image is a program: a universal Mach-O file has one for each architecture, and all
// other files have one.
type image struct {
	arch  string // "" if the file has one image alone
	bytes addressSpace
	file  *io.SectionReader // the image as it is in the file
}

// An addressSpace is the bytes of an image at their addresses.
type addressSpace interface {
	io.ReaderAt
	Size() int64
	// NextData returns the first address, at or after one, where bytes of the file are. It may
	// return an earlier one.
	NextData(at int64) int64
}

// flat is the addressSpace of a file whose bytes are as the linker wrote them.
type flat struct{ *io.SectionReader }

func (flat) NextData(at int64) int64 { return at }

// A FormatError says why a file cannot be read as a program that Go links.
type FormatError struct {
	IsMalformed bool // it has the format of a program, and is broken
	Reason      string
}

func (e *FormatError) Error() string { return e.Reason }

func malformed(format Format, reason string, args ...any) error {
	return &FormatError{IsMalformed: true, Reason: fmt.Sprintf("malformed %s file: ", format) + fmt.Sprintf(reason, args...)}
}

// Open opens a file that has to be regular. The caller must close it. Errors:
// *regularfile.PlaceError, *fs.PathError and those of New.
func Open(path string) (*File, error) {
	file, info, err := regularfile.Open(nil, path)
	if err != nil {
		return nil, err
	}
	return newClosing(file, info.Size())
}

func newClosing(file *os.File, size int64) (*File, error) {
	f, err := New(file, size)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.close = file.Close
	return f, nil
}

// New returns the program in the first size bytes of r. The error is *FormatError if it is
// none, or r's.
func New(r io.ReaderAt, size int64) (*File, error) {
	format, err := FormatOf(r)
	if err != nil {
		return nil, err
	}
	whole := io.NewSectionReader(r, 0, size)
	f := &File{Format: format, close: func() error { return nil }}
	switch format {
	case "":
		return nil, &FormatError{Reason: "the file has no format of a program that Go links"}
	case Universal:
		f.images, err = universalImages(whole)
	case Wasm:
		var m *memory
		m, err = readMemory(whole)
		f.images = []image{{bytes: m, file: whole}}
	default:
		f.images = []image{{bytes: flat{whole}, file: whole}}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Architectures returns the names of the architectures of a universal Mach-O file, in the
// order of the file; nil for other files.
func (f *File) Architectures() []string {
	var names []string
	for _, i := range f.images {
		if i.arch != "" {
			names = append(names, i.arch)
		}
	}
	return names
}

// Close closes a file that Open opened.
func (f *File) Close() error { return f.close() }

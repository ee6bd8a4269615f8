// Package layout owns the OCI image layout, as a folder and as a tar archive: it reads
// layouts of any program, and writes them so that the same content gives the same bytes.
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
//
// A layout is a stranger's. It has no links and no devices, no name that leads out of it, and
// none twice; everything that is read of it at once is bounded. A blob is looked up by its
// digest and proves it. index.json has labels, which prove nothing: a blob needs no entry.
package layout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
)

// Bounds on what is read at once, in bytes.
const (
	MaxIndex    = 16 << 20 // index.json: tens of thousands of entries
	MaxManifest = 4 << 20  // as from a registry
	maxMarker   = 4 << 10  // oci-layout
)

// Names in a layout.
const (
	markerName = "oci-layout"
	indexName  = "index.json"
	blobFolder = "blobs/sha256"
)

// A FormatError reports what is no layout, or one that is not safe to read.
type FormatError struct {
	Path   string // of the layout
	Reason string // continues a sentence that begins with Path
}

func (e *FormatError) Error() string { return e.Path + " " + e.Reason }

// A MissingError reports a blob or a file that a layout does not have. It is an
// fs.ErrNotExist.
type MissingError struct {
	Path string // of the layout
	Name string // of the blob or the file in it
}

func (e *MissingError) Error() string { return e.Path + " has no " + e.Name }

func (e *MissingError) Unwrap() error { return fs.ErrNotExist }

// A Layout is an open layout. Goroutines may share it.
type Layout struct {
	path    string
	store   store
	entries []Entry
}

// A store has the files of a layout.
type store interface {
	// open opens a regular file. Errors: fs.ErrNotExist, *FormatError, *fs.PathError.
	open(name string) (file io.ReadCloser, size int64, err error)
	io.Closer
}

// Open opens the layout at a path: a folder, or a tar archive, which is not compressed. It
// reads the index, and of an archive all headers.
//
// Errors: *FormatError, *regularfile.PlaceError, *fs.PathError.
func Open(path string) (*Layout, error) {
	s, err := openStore(path)
	if err != nil {
		return nil, err
	}
	l := &Layout{path: path, store: s}
	if err := l.readIndex(); err != nil {
		s.Close()
		return nil, err
	}
	return l, nil
}

func openStore(path string) (store, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openFolder(path)
	}
	return openArchive(path)
}

// readIndex reads index.json, if oci-layout says that this is a layout.
func (l *Layout) readIndex() error {
	marker, err := l.File(markerName, maxMarker)
	if err == nil {
		err = parseMarker(marker)
	}
	if err != nil {
		return l.asFormat(markerName, err)
	}
	index, err := l.File(indexName, MaxIndex)
	if err == nil {
		l.entries, err = parseIndex(index)
	}
	return l.asFormat(indexName, err)
}

// asFormat makes a *FormatError of what is wrong with a file that each layout has.
func (l *Layout) asFormat(name string, err error) error {
	var missing *MissingError
	var long *regularfile.LongError
	var format *FormatError
	var path *fs.PathError
	switch {
	case err == nil, errors.As(err, &format):
		return err
	case errors.As(err, &missing):
		return &FormatError{Path: l.path, Reason: "is no OCI image layout: it has no " + name}
	case errors.As(err, &long):
		return &FormatError{Path: l.path, Reason: fmt.Sprintf("has a file %s of more than %d bytes", name, long.Limit)}
	case errors.As(err, &path):
		return err
	}
	return &FormatError{Path: l.path, Reason: fmt.Sprintf("is no OCI image layout that is understood: %s: %v", name, err)}
}

// Close closes the files of the layout.
func (l *Layout) Close() error { return l.store.Close() }

// Path returns the layout's path as it was opened.
func (l *Layout) Path() string { return l.path }

// Entries returns the entries of index.json in their order. Their names are labels.
func (l *Layout) Entries() []Entry { return l.entries }

// File reads a file beside index.json of at most limit bytes. Errors: *MissingError,
// *FormatError, *regularfile.LongError, *fs.PathError.
func (l *Layout) File(name string, limit int64) ([]byte, error) {
	file, size, err := l.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return regularfile.ReadAll(l.path+": "+name, file, size, limit)
}

// Manifest returns the bytes of the manifest with a digest, which they have. Errors: those
// of File, *verified.MismatchError.
func (l *Layout) Manifest(digest ociref.Digest) ([]byte, error) {
	body, err := l.File(blobName(digest), MaxManifest)
	if err != nil {
		return nil, err
	}
	if err := verified.Bytes(body, digest); err != nil {
		return nil, err
	}
	return body, nil
}

// Copy copies a blob to dst, and proves it as [verified.Copy] does. Errors: *MissingError,
// *FormatError, *fs.PathError, those of verified.Copy.
func (l *Layout) Copy(ctx context.Context, dst io.Writer, want verified.Content) error {
	file, size, err := l.open(blobName(want.Digest))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := verified.Sized(size, want); err != nil {
		return err
	}
	return verified.Copy(ctx, dst, file, want)
}

// Has reports whether the layout has a blob with a digest, of whatever size. It does not read
// the blob.
func (l *Layout) Has(digest ociref.Digest) bool {
	_, ok := l.size(digest)
	return ok
}

// HasContent reports whether the layout has a blob with a digest and a size. It does not read
// the blob.
func (l *Layout) HasContent(content verified.Content) bool {
	size, ok := l.size(content.Digest)
	return ok && size == content.Size
}

func (l *Layout) size(digest ociref.Digest) (size int64, ok bool) {
	file, size, err := l.open(blobName(digest))
	if err != nil {
		return 0, false
	}
	file.Close()
	return size, true
}

func (l *Layout) open(name string) (io.ReadCloser, int64, error) {
	file, size, err := l.store.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, &MissingError{Path: l.path, Name: name}
	}
	return file, size, err
}

func blobName(digest ociref.Digest) string { return blobFolder + "/" + digest.Hex() }

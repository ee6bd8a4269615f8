package gtpack

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/verified"
)

// bounds are the package's bounds; tests use smaller ones.
type bounds struct {
	files                         int
	directory, document, unpacked int64 // bytes
}

var defaults = bounds{files: MaxFiles, directory: MaxDirectory, document: MaxDocument, unpacked: MaxUnpacked}

// An archive is a zip file in which every name occurs once.
type archive struct {
	src    *source
	bounds bounds
	files  []*zip.File // without directories, in the order of the archive
	byName map[string]*zip.File
}

func open(ctx context.Context, src Source, bounds bounds) (*archive, error) {
	a := &archive{src: &source{ctx: ctx, src: src, left: &quota{bounds.directory}}, bounds: bounds}
	z, err := zip.NewReader(a.src, src.Size())
	a.src.left = nil
	if err != nil && err != zip.ErrInsecurePath { // insecure paths do no harm: nothing is unpacked
		return nil, a.openFailure(err)
	}
	if len(z.File) > bounds.files {
		return nil, &MalformedError{Err: fmt.Errorf("more than %d files", bounds.files)}
	}
	if overlap(z.File, src.Size()) {
		return nil, &MalformedError{Err: errors.New("its files overlap")}
	}
	return a, a.index(z.File)
}

// openFailure distinguishes a file that is no archive from a broken archive.
func (a *archive) openFailure(err error) error {
	var magic [4]byte
	n, _ := a.src.ReadAt(magic[:], 0)
	if a.src.err == nil && string(magic[:n]) != "PK\x03\x04" {
		return &NotPackError{Reason: "it is no zip archive"}
	}
	return a.failure("", err)
}

// overlap reports whether files share bytes of the archive: so a small archive could
// take forever to read. Each file takes at least its packed size.
func overlap(files []*zip.File, size int64) bool {
	left := uint64(size)
	for _, f := range files {
		if f.CompressedSize64 > left {
			return true
		}
		left -= f.CompressedSize64
	}
	return false
}

// index refuses two files of one name: programs disagree about which one counts.
func (a *archive) index(files []*zip.File) error {
	a.byName = make(map[string]*zip.File, len(files))
	for _, f := range files {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if _, twice := a.byName[f.Name]; twice {
			return &MalformedError{File: f.Name, Err: errors.New("two files have this name")}
		}
		a.byName[f.Name] = f
		a.files = append(a.files, f)
	}
	return nil
}

func (a *archive) has(name string) bool { return a.byName[name] != nil }

// document returns the bytes of a small file that exists.
func (a *archive) document(name string) ([]byte, error) {
	var data []byte
	err := a.unpack(a.byName[name], &quota{a.bounds.document}, func(r io.Reader) (err error) {
		data, err = io.ReadAll(r)
		return err
	})
	if errors.Is(err, errQuota) {
		err = &MalformedError{File: name, Err: fmt.Errorf("longer than %d bytes", a.bounds.document)}
	}
	return data, err
}

// each passes every file's name and bytes to visit, which must read them to their end:
// only then are they checked.
func (a *archive) each(visit func(name string, r io.Reader) error) error {
	left := &quota{a.bounds.unpacked}
	for _, f := range a.files {
		err := a.unpack(f, left, func(r io.Reader) error { return visit(f.Name, r) })
		if errors.Is(err, errQuota) {
			return &MalformedError{Err: fmt.Errorf("unpacks to more than %d bytes", a.bounds.unpacked)}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) unpack(f *zip.File, left *quota, visit func(io.Reader) error) error {
	r, err := f.Open()
	if err != nil {
		return a.failure(f.Name, err)
	}
	defer r.Close()
	if err := visit(metered{verified.Reader(a.src.ctx, r), left}); err != nil {
		return a.failure(f.Name, err)
	}
	return nil
}

// failure blames the archive for an error, unless reading its bytes failed.
func (a *archive) failure(name string, err error) error {
	switch {
	case a.src.err != nil:
		return a.src.err
	case a.src.ctx.Err() != nil:
		return context.Cause(a.src.ctx)
	}
	return &MalformedError{File: name, Err: err}
}

// signatures returns the files in the signatures folder except for certificates, which
// sign nothing.
func (a *archive) signatures() []string {
	var names []string
	for _, f := range a.files {
		if strings.HasPrefix(f.Name, "signatures/") && !strings.HasSuffix(f.Name, ".pem") {
			names = append(names, f.Name)
		}
	}
	return names
}

// A source is a Source that ends with its context and remembers read errors: the zip
// library mixes them with its own.
type source struct {
	ctx context.Context
	src Source
	err error

	left *quota // bounds the list of files, which the zip library holds in memory
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return 0, err
	}
	if s.left.spend(len(p)) {
		return 0, errors.New("the list of its files is too long")
	}
	if off < 0 { // the zip library goes where the archive sends it
		return 0, zip.ErrFormat
	}
	n, err := s.src.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

var errQuota = errors.New("too many bytes")

// A quota is the number of bytes that may still come, from any number of readers.
type quota struct{ left int64 }

// spend reports whether n bytes exceed the quota. A nil quota has no end.
func (q *quota) spend(n int) (exceeded bool) {
	if q == nil {
		return false
	}
	q.left -= int64(n)
	return q.left < 0
}

// metered counts the bytes that come, whatever number the archive states.
type metered struct {
	io.Reader
	*quota
}

func (m metered) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.spend(n) {
		return 0, errQuota
	}
	return n, err
}

// A NotPackError reports a file that is not a pack.
type NotPackError struct{ Reason string }

func (e *NotPackError) Error() string { return "not a pack: " + e.Reason }

// A MalformedError reports a pack that cannot be read, has two readings, or exceeds the
// bounds of this package.
type MalformedError struct {
	File string // in the archive; empty if the archive itself is malformed
	Err  error
}

// Error returns one line of ASCII, whatever the archive holds.
func (e *MalformedError) Error() string {
	subject := "the archive"
	if e.File != "" {
		subject = printable.Phrase(e.File, maxQuoted)
	}
	return fmt.Sprintf("%s cannot be read: %s", subject, printable.Line(e.Err.Error(), maxMessage))
}

func (e *MalformedError) Unwrap() error { return e.Err }

// Bounds on quotations from an archive and from a library's message, in bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

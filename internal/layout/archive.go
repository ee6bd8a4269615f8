package layout

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// Bounds on an archive. Ten thousand packs take some tens of thousands of members.
const (
	maxMembers = 200_000
	maxHeaders = 128 << 20 // bytes of all headers, of which a member takes 512 to 2048
	maxName    = 255       // bytes of a member's name
)

// An archive is a layout as a tar archive.
type archive struct {
	file    *os.File
	members map[string]member
}

// A member is a folder, or the range of a regular file's bytes.
type member struct {
	folder       bool
	offset, size int64
}

func openArchive(path string) (*archive, error) {
	file, info, err := regularfile.Open(nil, path)
	if err != nil {
		return nil, err
	}
	a := &archive{file: file, members: map[string]member{}}
	if err := a.scan(file, info.Size()); err != nil {
		file.Close()
		var path *fs.PathError
		if errors.As(err, &path) {
			return nil, err
		}
		return nil, &FormatError{Path: file.Name(), Reason: err.Error()}
	}
	return a, nil
}

// headers are the bytes of an archive for a reader that skips those of the files. The archive
// may grow meanwhile: it ends where it ended before.
type headers struct {
	*io.SectionReader
	left int64 // bytes that may still be read
}

var errManyHeaders = fmt.Errorf("has more than %d bytes of headers", maxHeaders)

func (h *headers) Read(p []byte) (int, error) {
	if h.left == 0 {
		return 0, errManyHeaders
	}
	n, err := h.SectionReader.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

// scan reads all headers of a file of size bytes.
func (a *archive) scan(file io.ReaderAt, size int64) error {
	bytes := &headers{io.NewSectionReader(file, 0, size), maxHeaders}
	for r := tar.NewReader(bytes); ; {
		header, err := r.Next()
		var path *fs.PathError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &path), errors.Is(err, errManyHeaders):
			return err
		case err != nil && len(a.members) == 0 && isCompressed(file):
			return errors.New("is compressed: decompress it first")
		case err != nil && len(a.members) == 0:
			return errors.New("is no tar archive")
		case err != nil:
			return fmt.Errorf("is a broken tar archive: %w", err)
		case header.Typeflag == tar.TypeXGlobalHeader:
			continue
		}
		offset, err := bytes.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if err := a.add(header, member{folder: header.Typeflag == tar.TypeDir, offset: offset, size: header.Size}); err != nil {
			return err
		}
		if offset > size-header.Size {
			return errors.New("is a broken tar archive: it is cut off")
		}
	}
}

// compressions are the first bytes of files that gzip, zstd, xz and bzip2 wrote.
var compressions = []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "BZh"}

// isCompressed reports whether a file begins as a compressed one.
func isCompressed(file io.ReaderAt) bool {
	start := make([]byte, 6)
	n, _ := file.ReadAt(start, 0)
	return slices.ContainsFunc(compressions, func(magic string) bool { return strings.HasPrefix(string(start[:n]), magic) })
}

// add adds a member.
func (a *archive) add(header *tar.Header, m member) error {
	shown := printable.Quote(header.Name, maxQuoted)
	name, ok := cleanName(header.Name)
	if !ok || len(name) > maxName || name == "." && !m.folder {
		return fmt.Errorf("has a member %s: no layout has such a name", shown)
	}
	if header.Typeflag != tar.TypeReg && !m.folder || isSparse(header) {
		return fmt.Errorf("has a member %s that is neither a regular file nor a folder", shown)
	}
	other, known := a.members[name]
	switch {
	case known && m.folder && other.folder:
	case known:
		return fmt.Errorf("has two members %s", shown)
	case len(a.members) == maxMembers:
		return fmt.Errorf("has more than %d members", maxMembers)
	}
	a.members[name] = m
	return nil
}

// isSparse reports whether the bytes of a member are not those that its reader shows.
func isSparse(header *tar.Header) bool {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (a *archive) Close() error { return a.file.Close() }

func (a *archive) open(name string) (io.ReadCloser, int64, error) {
	m, ok := a.members[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	if m.folder {
		return nil, 0, &FormatError{Path: a.file.Name(), Reason: "has no regular file in the place of " + name}
	}
	return io.NopCloser(io.NewSectionReader(a.file, m.offset, m.size)), m.size, nil
}

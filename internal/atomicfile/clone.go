package atomicfile

import (
	"io"
	"math"
	"os"

	"github.com/greenticai/packvendor/internal/reflink"
)

// Clone has f, which is empty, share the blocks of source, and returns a reader of f's
// bytes. It returns nil, and f is empty still, if the file system cannot do that.
func (f *File) Clone(source *os.File) (io.Reader, error) {
	file, cloneErr := reflink.Clone(f.root, f.temp, f.file, source)
	f.file = file
	if cloneErr != nil {
		return nil, f.Reset()
	}
	size, err := f.file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, located(f.root, "seek", f.name, err)
	}
	f.written, f.begun = size, size // nothing to write back: source's bytes reach the disk before they are shared
	return io.NewSectionReader(f, 0, math.MaxInt64), nil
}

// CopyTo gives g, which is empty, the bytes of f. It tells whether the two files share
// their blocks; if the file system cannot do that, the bytes are copied.
func (f *File) CopyTo(g *File) (shared bool, err error) {
	cloned, err := g.Clone(f.file)
	if err != nil || cloned != nil {
		return cloned != nil, err
	}
	_, err = io.Copy(g, io.NewSectionReader(f, 0, f.written))
	return false, err
}

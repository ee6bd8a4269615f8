package fetch

import (
	"io"
	"os"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/packcache"
)

// A countedCloner is a counted of a packcache.Cloner. It reports the bytes of a clone when
// they are read, which is what takes time.
type countedCloner struct {
	*counted
	cloner packcache.Cloner
}

func (c *countedCloner) Clone(source *os.File) (io.Reader, error) {
	cloned, err := c.cloner.Clone(source)
	if cloned == nil {
		return nil, err
	}
	return &countedReader{cloned, c.counted}, err
}

func (c *countedCloner) CopyTo(file *atomicfile.File) (bool, error) { return c.cloner.CopyTo(file) }

type countedReader struct {
	io.Reader
	counted *counted
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.counted.add(n)
	return n, err
}

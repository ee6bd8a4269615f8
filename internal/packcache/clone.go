package packcache

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/verified"
)

// A Cloner is a file that can share the blocks of another one, as an *atomicfile.File can.
// The cache uses it where the file system can do that: a pack then takes its space once,
// in the cache and in all projects. Other programs that write to the cache afterwards
// change the cache's file alone.
type Cloner interface {
	// Clone shares the blocks of source, and returns a reader of the bytes that the
	// Cloner has then; nil if the file system cannot do that.
	Clone(source *os.File) (io.Reader, error)
	// CopyTo gives an empty file the Cloner's bytes, and tells whether it shares blocks.
	CopyTo(*atomicfile.File) (shared bool, err error)
}

// minShared is the least size of a pack that shares blocks, in bytes. A clone has to be read
// from the disk, where the bytes of a copy come from memory: for less, the copy is faster.
const minShared = 64 << 10

// A sharing remembers whether packs can share blocks with the files to which they are
// copied. The first try decides for all: a run has one cache and one project, and needs
// to hear "no" only once.
type sharing struct {
	once sync.Once
	is   bool
}

// decide returns the result of the first try.
func (s *sharing) decide(try func() bool) bool {
	s.once.Do(func() { s.is = try() })
	return s.is
}

// clone has dst share the blocks of source, of which there should be size bytes, and
// returns a reader of dst's bytes; nil if that cannot be done.
func (s *sharing) clone(dst io.Writer, source *os.File, size int64) (cloned io.Reader, err error) {
	to, ok := dst.(Cloner)
	if !ok || size < minShared {
		return nil, nil
	}
	tried := false
	try := func() bool {
		tried = true
		cloned, err = to.Clone(source)
		return cloned != nil
	}
	if s.decide(try) && !tried {
		try()
	}
	return cloned, err
}

// copyPack is verified.Copy of an open pack, or verifies a clone of it.
func (c *Cache) copyPack(ctx context.Context, dst io.Writer, file *os.File, want verified.Content) error {
	cloned, err := c.sharing.clone(dst, file, want.Size)
	switch {
	case err != nil:
		return &verified.WriteError{Err: err}
	case cloned != nil:
		return verified.Copy(ctx, io.Discard, cloned, want)
	}
	return verified.Copy(ctx, dst, file, want)
}

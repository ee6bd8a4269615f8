package fetch_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
)

// A cloner is a sink that clones into memory.
type cloner struct {
	sink
	cloned, copied int // times
}

func (c *cloner) Clone(source *os.File) (io.Reader, error) {
	c.cloned++
	if _, err := io.Copy(&c.Buffer, source); err != nil {
		return nil, err
	}
	return bytes.NewReader(c.Bytes()), nil
}

func (c *cloner) CopyTo(file *atomicfile.File) (bool, error) {
	c.copied++
	_, err := file.Write(c.Bytes())
	return true, err
}

// A clone is counted like a copy, with Options.Copied and without.
func TestCopiedByCloning(t *testing.T) {
	for _, test := range []struct {
		name           string
		make           func(t *testing.T, b *fixture)
		cloned, copied int  // times
		again          bool // something is taken back
	}{
		{"from the registry", func(*testing.T, *fixture) {}, 0, 2, false}, // once while it is empty
		{"from the cache", func(t *testing.T, b *fixture) { b.fill(t) }, 1, 0, false},
		{"begins anew where it broke off", func(_ *testing.T, b *fixture) {
			b.reg.Inject(fault.First(1, fault.AbortBlob("", 100)), fault.NoRange(""))
		}, 0, 2, true},
		{"the cache is corrupt", func(t *testing.T, b *fixture) {
			b.fill(t)
			flipped := bytes.Clone(b.data)
			flipped[len(flipped)-1] ^= 1
			write(t, b.file("pack.gtpack"), flipped)
		}, 2, 1, true}, // a second look, with the lock, and then a download
	} {
		for _, counted := range []bool{true, false} {
			t.Run(test.name, func(t *testing.T) {
				data := packtest.Zip("clone", "1.0.0", 100_000)
				b := newFixtureOf(t, packtest.Options{}, data, packtest.Pack(data, "clone.gtpack"))
				test.make(t, b)
				var c tally
				f := b.fetcher(t, func(o *fetch.Options) {
					if counted {
						o.Copied = c.add
					}
				})
				pack, err := f.Resolve(context.Background(), parse(b.byDigest()), "")
				if err != nil {
					t.Fatal(err)
				}
				var dst cloner
				if _, err := f.Copy(context.Background(), pack, &dst); err != nil {
					t.Fatal(err)
				}
				wantBytes(t, dst.Bytes(), b.data)
				b.wantWhole(t)
				if dst.cloned != test.cloned || dst.copied != test.copied {
					t.Errorf("cloned %d times, copied %d times, want %d and %d", dst.cloned, dst.copied, test.cloned, test.copied)
				}
				if !counted {
					return
				}
				if got, want := c.sum(), int64(len(b.data)); got != want || c.size != want {
					t.Errorf("%d of %d bytes were copied, want %d: %d", got, c.size, want, c.told)
				}
				if back := slices.ContainsFunc(c.told, func(n int64) bool { return n < 0 }); back != test.again {
					t.Errorf("taken back: %t, want %t: %d", back, test.again, c.told)
				}
			})
		}
	}
}

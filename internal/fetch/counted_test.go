package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
)

// A tally is what Options.Copied was told.
type tally struct {
	mu   sync.Mutex
	told []int64
	size int64
}

func (c *tally) add(n, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told, c.size = append(c.told, n), size
}

func (c *tally) sum() (sum int64) {
	for _, n := range c.told {
		sum += n
	}
	return sum
}

// Where a pack is copied whole, it is counted once, whatever went before.
func TestCopied(t *testing.T) {
	for _, test := range []struct {
		name  string
		make  func(t *testing.T, b *fixture)
		again bool // something is taken back
	}{
		{"from the registry", func(*testing.T, *fixture) {}, false},
		{"from the cache", func(t *testing.T, b *fixture) { b.fill(t) }, false},
		{"goes on where it broke off", func(_ *testing.T, b *fixture) {
			b.reg.Inject(fault.First(1, fault.AbortBlob("", 100)))
		}, false},
		{"begins anew where it broke off", func(_ *testing.T, b *fixture) {
			b.reg.Inject(fault.First(1, fault.AbortBlob("", 100)), fault.NoRange(""))
		}, true},
		{"the cache is corrupt", func(t *testing.T, b *fixture) {
			b.fill(t)
			flipped := bytes.Clone(b.data)
			flipped[len(flipped)-1] ^= 1
			write(t, b.file("pack.gtpack"), flipped)
		}, true},
		{"the cache is incomplete", func(t *testing.T, b *fixture) {
			b.fill(t)
			write(t, b.file("pack.gtpack"), b.data[:100])
		}, false}, // what is too short is not read
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			test.make(t, b)
			var c tally
			f := b.fetcher(t, func(o *fetch.Options) { o.Copied = c.add })
			if _, err := fetchToCache(context.Background(), f, b.byDigest()); err != nil {
				t.Fatal(err)
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

// A sink that fails has not got what it did not take.
func TestCopiedFails(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	var c tally
	f := b.fetcher(t, func(o *fetch.Options) { o.Copied = c.add })
	pack, err := f.Resolve(context.Background(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	if _, err := f.Copy(context.Background(), pack, &small{room: 10, err: full}); !errors.Is(err, full) {
		t.Fatalf("error %v, want %v", err, full)
	}
	if c.sum() != 10 {
		t.Errorf("%d bytes were copied, want 10: %d", c.sum(), c.told)
	}
}

// small is a Sink with little room.
type small struct {
	room int
	err  error
}

func (s *small) Write(p []byte) (int, error) {
	n := min(s.room, len(p))
	s.room -= n
	if n < len(p) {
		return n, s.err
	}
	return n, nil
}

func (s *small) Reset() error { return nil }

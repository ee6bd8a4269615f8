package packcache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenticai/packvendor/internal/verified"
)

// TestRetryUnfinished sees for how long, on a clock that jumps, what may be unfinished is
// looked at.
func TestRetryUnfinished(t *testing.T) {
	other := errors.New("other")
	for _, test := range []struct {
		name    string
		err     error
		takes   time.Duration // each look
		until   int           // looks, the last of which returns nil; 0 is never
		looks   int
		elapsed time.Duration
	}{
		{"nothing amiss", nil, 0, 0, 1, 0},
		{"another error", other, 0, 0, 1, 0},
		{"corrupt", &CorruptError{Err: other}, 0, 0, 1, 0},
		{"short", &CorruptError{Err: other, Short: true}, 0, 0, 41, 2 * time.Second},
		{"changed", &CorruptError{Err: other, Changed: true}, 0, 0, 41, 2 * time.Second},
		{"soon finished", &CorruptError{Err: other, Short: true}, 0, 3, 3, 100 * time.Millisecond},
		{"long looks", &CorruptError{Err: other, Changed: true}, time.Second, 0, 3, 3100 * time.Millisecond},
		{"very long looks", &CorruptError{Err: other, Changed: true}, time.Minute, 0, 2, 2*time.Minute + 50*time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, looks := time.Now(), 0
				err := New(Options{}).RetryUnfinished(context.Background(), func() error {
					time.Sleep(test.takes)
					if looks++; looks == test.until {
						return nil
					}
					return test.err
				})
				want := test.err
				if test.until > 0 {
					want = nil
				}
				if elapsed := time.Since(start); err != want || looks != test.looks || elapsed != test.elapsed {
					t.Errorf("%v after %d looks and %v, want %v, %d, %v", err, looks, elapsed, want, test.looks, test.elapsed)
				}
			})
		})
	}
}

func TestRetryUnfinishedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err := New(Options{}).RetryUnfinished(ctx, func() error { return &CorruptError{Short: true} })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

// TestFault64_PackShort sees that a pack which is too short is not read.
func TestFault64_PackShort(t *testing.T) {
	c, i := newEntry(t)
	must(t, os.Truncate(i.path(c, "pack.gtpack"), 5))
	var read bytes.Buffer
	err := c.Pack(t.Context(), i.manifest, i.content(), &read)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || !corrupt.Short || corrupt.Changed || read.Len() > 0 {
		t.Errorf("got %+v and %d bytes", err, read.Len())
	}
}

// TestFault64_CheckUnfinished has the entry completed after the first look of Check,
// and of Repair: neither calls it corrupt.
func TestFault64_CheckUnfinished(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, c *Cache, i item){
		"pack":             func(t *testing.T, c *Cache, i item) { must(t, os.Truncate(i.path(c, "pack.gtpack"), 5)) },
		"metadata":         func(t *testing.T, c *Cache, i item) { must(t, os.Truncate(i.path(c, "metadata.json"), 5)) },
		"emptied metadata": func(t *testing.T, c *Cache, i item) { must(t, os.Truncate(i.path(c, "metadata.json"), 0)) },
		"pack, no manifest": func(t *testing.T, c *Cache, i item) {
			must(t, os.Remove(i.path(c, "manifest.json")))
			must(t, os.Truncate(i.path(c, "pack.gtpack"), 5))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, check := range []func(*Cache, item) error{
				func(c *Cache, i item) error { return c.Check(context.Background(), i.manifest, layersOf) },
				func(c *Cache, i item) error {
					removed, err := c.Repair(context.Background(), i.manifest, layersOf)
					if removed {
						t.Error("the entry is removed")
					}
					return err
				},
			} {
				c, i := newEntry(t)
				spoil(t, c, i)
				looks := 0
				c.sleep = func(context.Context, time.Duration) error {
					looks++
					return i.publish(c, nil)
				}
				if err := check(c, i); err != nil || looks != 1 {
					t.Errorf("got %v after %d more looks", err, looks)
				}
			}
		})
	}
}

// TestFault64_CheckChanged has the entry replaced while Check reads it: after the
// pack was opened, when the entry is looked at once more to see whether it changed.
func TestFault64_CheckChanged(t *testing.T) {
	c, i := newEntry(t)
	writeFile(t, i.path(c, "pack.gtpack"), append(i.pack[1:len(i.pack):len(i.pack)], 0))
	openings, looks := 0, 0 // openings since the manifest was read
	c.looked = func(string) {
		if openings++; openings == 2 && looks == 1 {
			must(t, i.publish(c, nil))
		}
	}
	err := c.Check(context.Background(), i.manifest, func(manifest []byte) ([]verified.Content, error) {
		looks++
		openings = 0
		return layersOf(manifest)
	})
	if err != nil || looks != 2 {
		t.Errorf("got %v after %d looks", err, looks)
	}
}

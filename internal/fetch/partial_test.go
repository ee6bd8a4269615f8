package fetch_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// largeFixture is a fixture whose pack is worth keeping a part of.
func largeFixture(t *testing.T) *fixture {
	t.Helper()
	data := packtest.Zip("large", "1.0.0", 3<<20)
	return newFixtureOf(t, packtest.Options{}, data, packtest.Pack(data, "large.gtpack"))
}

func (b *fixture) partial() string { return filepath.Join(b.dir, ".partial", b.pushed.Layers[0].Hex()) }

// wantPartial fails unless exactly the first n bytes of the pack are kept.
func (b *fixture) wantPartial(t *testing.T, n int) {
	t.Helper()
	data, err := os.ReadFile(b.partial())
	if n == 0 && os.IsNotExist(err) {
		return
	}
	if err != nil || len(data) != n || string(data) != string(b.data[:n]) {
		t.Errorf("%d bytes are kept, %v, want the first %d", len(data), err, n)
	}
}

// interrupt fetches, and is interrupted after n bytes of the pack.
func (b *fixture) interrupt(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	copied := int64(0)
	b.reg.Inject(fault.StallBlob("", n))
	f := b.fetcher(t, func(o *fetch.Options) {
		o.Copied = func(more, _ int64) {
			if copied += more; copied == int64(n) {
				cancel()
			}
		}
	})
	if _, err := fetchToCache(ctx, f, b.byDigest()); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	b.reg.Inject()
}

// ranges returns the Range headers of the requests for blobs, and forgets them.
func (b *fixture) ranges() []string {
	var list []string
	for _, r := range b.reg.Requests() {
		if strings.Contains(r.Path, "/blobs/") {
			list = append(list, r.Header.Get("Range"))
		}
	}
	b.reg.ResetRequests()
	return list
}

func (b *fixture) wantRanges(t *testing.T, want ...string) {
	t.Helper()
	if got := b.ranges(); !slices.Equal(got, want) {
		t.Errorf("Range headers:\n got %q\nwant %q", got, want)
	}
}

func from(n int) string { return "bytes=" + strconv.Itoa(n) + "-" }

// A download that was interrupted goes on, again and again, where it ended.
func TestFault02b_Interrupted(t *testing.T) {
	t.Parallel()
	b := largeFixture(t)
	b.interrupt(t, 1<<20)
	b.wantPartial(t, 1<<20)
	b.wantRanges(t, "")
	b.events.wantNone(t)

	b.interrupt(t, 1<<20) // before anything new has come
	b.wantPartial(t, 1<<20)

	b.ranges()
	b.events = &events{}
	b.fetchToCache(t, b.fetcher(t))
	b.wantRanges(t, from(1<<20))
	if e := one[fetch.Resumed](t, b.events); e.Kept != 1<<20 || e.Size != int64(len(b.data)) || e.Reference != b.byDigest() {
		t.Errorf("event %+v", e)
	}
	b.wantWhole(t)
	if _, err := os.Lstat(filepath.Dir(b.partial())); !os.IsNotExist(err) {
		t.Errorf("what was kept is still there: %v", err)
	}
}

// The network failed for good: what came is kept.
func TestFault02b_NetworkFails(t *testing.T) {
	t.Parallel()
	b := largeFixture(t)
	b.reg.Inject(fault.First(5, fault.AbortBlob("", 300<<10)))
	_, err := fetchToCache(context.Background(), b.fetcher(t), b.byDigest())
	as[*registry.Error](t, err)
	b.wantPartial(t, 5*300<<10)
	b.ranges()
	b.fetchToCache(t, b.fetcher(t))
	b.wantRanges(t, from(5*300<<10))
	b.wantWhole(t)
}

// What was kept may be anything: the pack is right, and what is wrong does not stay.
func TestFault02b_KeptIsWrong(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(data []byte) []byte{
		"a bit":   func(data []byte) []byte { data[7] ^= 1; return data },
		"longer":  func(data []byte) []byte { return append(data, make([]byte, 4<<20)...) },
		"emptied": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := largeFixture(t)
			b.interrupt(t, 1<<20)
			write(t, b.partial(), change(read(t, b.partial())))
			b.ranges()
			b.fetchToCache(t, b.fetcher(t))
			if name == "a bit" {
				b.wantRanges(t, from(1<<20), "")
			} else {
				b.wantRanges(t, "")
			}
			b.wantWhole(t)
			b.wantPartial(t, 0)
		})
	}
}

// Bytes that turned out to be wrong are not kept, nor are too few, nor is anything
// where the cache cannot be written.
func TestFault02b_NotKept(t *testing.T) {
	t.Parallel()
	t.Run("wrong", func(t *testing.T) {
		t.Parallel()
		b := largeFixture(t)
		b.interrupt(t, 1<<20)
		b.reg.Inject(fault.WrongBlob(""))
		_, err := fetchToCache(context.Background(), b.fetcher(t), b.byDigest())
		as[*verified.MismatchError](t, err)
		b.wantPartial(t, 0)
	})
	t.Run("few", func(t *testing.T) {
		t.Parallel()
		b := largeFixture(t)
		b.interrupt(t, 1<<20-1)
		b.wantPartial(t, 0)
	})
	t.Run("without a cache", func(t *testing.T) {
		t.Parallel()
		b := largeFixture(t)
		write(t, b.dir, nil) // a file
		b.reg.Inject(fault.After(0, fault.Status("/v2/"+repository+"/blobs/", http.StatusServiceUnavailable, nil)))
		_, err := fetchToCache(context.Background(), b.fetcher(t), b.byDigest())
		as[*registry.Error](t, err)
	})
}

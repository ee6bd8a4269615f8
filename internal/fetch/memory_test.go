package fetch_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
)

// A drain is a Sink that counts.
type drain struct{ n int64 }

func (d *drain) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }
func (d *drain) Reset() error                { d.n = 0; return nil }

// Packs are streamed: what a copy allocates does not depend on their size.
func TestCopyAllocatesLittle(t *testing.T) {
	const size, limit = 64 << 20, 8 << 20
	data := make([]byte, size) // layers are opaque
	b := newFixtureOf(t, packtest.Options{Plain: true}, data, packtest.Pack(data, ""))
	f := b.fetcher(t, func(o *fetch.Options) { o.InsecureRegistries = []string{b.reg.Host()} })
	p, err := f.Resolve(context.Background(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"registry", "cache"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var d drain
		fetched, err := f.Copy(context.Background(), p, &d)
		runtime.ReadMemStats(&after)
		if err != nil || d.n != int64(len(data)) || fetched != (from == "registry") {
			t.Fatalf("from the %s: got %t, %v, %d bytes", from, fetched, err, d.n)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > limit {
			t.Errorf("from the %s: allocated %d bytes for %d, want at most %d", from, allocated, len(data), limit)
		}
	}
}

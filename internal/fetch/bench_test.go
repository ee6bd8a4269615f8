package fetch_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
)

// BenchmarkCopy copies one pack to nowhere: cold from the registry, which fills the
// cache, and warm from the cache. The registry is in the same process.
func BenchmarkCopy(b *testing.B) {
	for _, size := range []int{16 << 10, 1 << 20, 16 << 20} {
		reg := packtest.StartRegistry(b, packtest.Options{Plain: true})
		pushed := packtest.MustPush(b, reg, repository, "", packtest.Pack(packtest.Zip("bench", "1.0.0", size), ""))
		reference := reg.Host() + "/" + repository + "@" + string(pushed.ManifestDigest)
		transport := reg.Transport()
		b.Cleanup(transport.CloseIdleConnections)
		options := fetch.Options{Transport: transport, InsecureRegistries: []string{reg.Host()}}
		b.Run(fmt.Sprintf("cold/%dKiB", size>>10), func(b *testing.B) {
			dir, n := b.TempDir(), 0
			benchCopy(b, reference, size, true, func() fetch.Options {
				o := options
				o.CacheDir = filepath.Join(dir, fmt.Sprint(n))
				n++
				return o
			})
		})
		b.Run(fmt.Sprintf("warm/%dKiB", size>>10), func(b *testing.B) {
			o := options
			o.CacheDir = b.TempDir()
			copyOnce(b, reference, o)
			benchCopy(b, reference, size, false, func() fetch.Options { return o })
		})
	}
}

func benchCopy(b *testing.B, reference string, size int, fetched bool, options func() fetch.Options) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if got := copyOnce(b, reference, options()); got != fetched {
			b.Fatalf("fetched %t, want %t", got, fetched)
		}
	}
}

// copyOnce is the whole of what a new fetcher does for one pack.
func copyOnce(b *testing.B, reference string, o fetch.Options) (fetched bool) {
	f, err := fetch.New(o)
	if err != nil {
		b.Fatal(err)
	}
	pack, err := f.Resolve(context.Background(), parse(reference), "")
	if err == nil {
		fetched, err = f.Copy(context.Background(), pack, &drain{})
	}
	if err != nil {
		b.Fatal(err)
	}
	return fetched
}

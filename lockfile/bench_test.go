package lockfile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
)

// benchLock is a lock of n packs that are pinned by digest.
func benchLock(n int) *lockfile.Lock {
	lock := &lockfile.Lock{}
	for i := range n {
		manifest := ociref.DigestOf(fmt.Append(nil, "manifest ", i))
		lock.Entries = append(lock.Entries, lockfile.Entry{
			Name:           fmt.Sprintf("pack-%04d", i),
			Ref:            fmt.Sprintf("ghcr.io/greenticai/packs/pack-%04d:1.0.%d@%s", i, i, manifest),
			ManifestDigest: manifest,
			LayerDigest:    ociref.DigestOf(fmt.Append(nil, "layer ", i)),
			Size:           1 << 20,
			MediaType:      "application/vnd.greentic.gtpack.v1+zip",
		})
	}
	return lock
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{5, 100, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			data := lockfile.Format(benchLock(n))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := lockfile.Parse("packs.lock", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFormat(b *testing.B) {
	for _, n := range []int{5, 100, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			lock := benchLock(n)
			b.ReportAllocs()
			for b.Loop() {
				lockfile.Format(lock)
			}
		})
	}
}

// The cost of an entry does not depend on their number.
func TestParseAllocatesByTheEntry(t *testing.T) {
	const few, many, limit = 100, 1000, 8
	per := map[int]float64{}
	for _, n := range []int{few, many} {
		data := lockfile.Format(benchLock(n))
		if !bytes.Equal(data, lockfile.Format(parse(t, data))) || strings.Count(string(data), "[[pack]]") != n {
			t.Fatalf("a lock of %d packs does not stay what it is", n)
		}
		per[n] = testing.AllocsPerRun(5, func() { lockfile.Parse("packs.lock", data) }) / float64(n)
	}
	if per[many] > limit || per[many] > per[few]*1.1 {
		t.Errorf("%.1f allocations an entry of %d, %.1f of %d, want at most %d and no more than there", per[many], many, per[few], few, limit)
	}
}

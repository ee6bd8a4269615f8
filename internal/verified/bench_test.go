package verified

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// Sizes of what is copied, in bytes: a small pack, one as large as most, and one
// that is larger than any cache of the processor.
var benchSizes = []int{16 << 10, 1 << 20, 64 << 20}

func BenchmarkCopy(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			data := pattern(size)
			want := contentOf(data)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if err := Copy(b.Context(), io.Discard, bytes.NewReader(data), want); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMeasure(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			data := pattern(size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Measure(b.Context(), bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package program_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	packs "github.com/greenticai/packvendor/internal/program"
)

// BenchmarkPacks reads programs of 256 MiB from the file system, of which a half are 64 packs.
func BenchmarkPacks(b *testing.B) {
	for _, benchmark := range []struct {
		name string
		pack func(i int) []byte
	}{
		{"archives whose files begin like them", func(i int) []byte {
			var files [][]byte
			for j := range 32 {
				files = append(files, noise(uint64(i*32+j), 64<<10))
			}
			return archive(b, files...)
		}},
		{"archives with different heads", func(i int) []byte {
			pack := archive(b, noise(uint64(i), 2<<20))
			copy(pack[10:], fmt.Sprintf("%04d", i)) // the time
			return pack
		}},
		{"three beginnings", func(i int) []byte { return append([]byte{byte(i % 3), 1, 2, 3}, noise(uint64(i), 2<<20)...) }},
		{"64 beginnings", func(i int) []byte { return noise(uint64(i), 2<<20) }},
	} {
		b.Run(benchmark.name, func(b *testing.B) {
			var parts [][]byte
			for i := range 64 {
				pack := benchmark.pack(i)
				parts = append(parts, text(markerOf(fmt.Sprintf("p%d", i), pack)), pack, noise(uint64(1000+i), 2<<20))
			}
			benchmarkPacks(b, elf(parts...), 64, packs.Present)
		})
	}
	b.Run("beginnings without end", func(b *testing.B) {
		var parts [][]byte
		for i := range 10_000 {
			parts = append(parts, text(markerOf(fmt.Sprintf("p%d", i), append([]byte("PK\x03\x04"), noise(uint64(i), 1000)...))))
		}
		parts = append(parts, bytes.Repeat([]byte("PK\x03\x04"), 16<<20))
		benchmarkPacks(b, elf(parts...), 10_000, packs.Absent)
	})
}

// benchmarkPacks reads a program with that many packs, all in one state.
func benchmarkPacks(b *testing.B, file []byte, count int, state packs.State) {
	name := filepath.Join(b.TempDir(), "program")
	if err := os.WriteFile(name, file, 0o666); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		f, err := packs.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		found, _, err := f.Packs(b.Context())
		if err != nil || len(found) != count || found[0].State != state {
			b.Fatalf("%d packs, %v", len(found), err)
		}
		f.Close()
	}
}

package program_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	packs "github.com/greenticai/packvendor/internal/program"
)

// BenchmarkPacks reads a program of 256 MiB from the file system: half of it are 64 packs, whose
// files begin like a pack.
func BenchmarkPacks(b *testing.B) {
	var parts [][]byte
	for i := range 64 {
		var files [][]byte
		for j := range 32 {
			files = append(files, noise(uint64(i*32+j), 64<<10))
		}
		pack := archive(b, files...)
		parts = append(parts, text(markerOf(fmt.Sprintf("p%d", i), pack)), pack, noise(uint64(i), 2<<20))
	}
	file := elf(parts...)
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
		if err != nil || len(found) != 64 || found[0].State != packs.Present {
			b.Fatalf("%d packs, %v", len(found), err)
		}
		f.Close()
	}
}

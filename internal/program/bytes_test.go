package program_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	packs "github.com/greenticai/packvendor/internal/program"
)

// The bytes of a pack that is present can be read; of other packs there are none.
func TestBytes(t *testing.T) {
	const amd64, arm64 = 0x01000007, 0x0100000c
	zeros, small := archive(t, make([]byte, 5000), noise(10, 100), noise(11, 70_000)), archive(t, noise(12, 300))
	patched := bytes.Clone(zeros)
	patched[6000] ^= 1
	mz, ms := text(markerOf("zeros", zeros)), text(markerOf("small", small))
	mt := text(markerOf("short", []byte("tiny\n")))
	segments := append(sparse(1<<20, zeros), data{4096, mz}, data{8192, ms}, data{3 << 20, small})
	for name, test := range map[string]struct {
		file []byte
		want string // the names of those with bytes
	}{
		"ELF":                 {elf(mz, zeros, ms, small), "small zeros "},
		"Wasm":                {wasm(segments...), "small zeros "},
		"absent":              {elf(mz, ms, zeros), "zeros "},
		"other":               {elf(mz, ms, patched, small), "small "},
		"short":               {elf(mt, []byte("tiny\n")), "short "},
		"empty":               {elf(text(markerOf("empty", nil))), "empty "},
		"short, universal":    {universal(map[uint32][]byte{amd64: elf(mt, []byte("tiny\n")), arm64: elf(mt)}, amd64, arm64), ""},
		"universal":           {universal(map[uint32][]byte{amd64: elf(mz, zeros, ms, small), arm64: elf(mz, zeros)}, amd64, arm64), "small zeros "},
		"universal, one lost": {universal(map[uint32][]byte{amd64: elf(mz, zeros), arm64: elf(mz)}, amd64, arm64), ""},
		"one lost, universal": {universal(map[uint32][]byte{amd64: elf(mz), arm64: elf(mz, zeros)}, amd64, arm64), ""},
	} {
		f, err := packs.New(bytes.NewReader(test.file), int64(len(test.file)))
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := f.Packs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range found {
			if p.Bytes == nil {
				continue
			}
			got += p.Name + " "
			data, err := io.ReadAll(p.Bytes)
			if err != nil || ociref.DigestOf(data) != p.LayerDigest {
				t.Errorf("%s: %s has other bytes, %v", name, p.Name, err)
			}
		}
		if got != test.want {
			t.Errorf("%s: bytes of %q, want %q", name, got, test.want)
		}
	}
}

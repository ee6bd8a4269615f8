package program_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	packs "github.com/greenticai/packvendor/internal/program"
)

func line(name, state string) string { return "example.com/app/packs " + name + " " + state + "\n" }

func TestPacks(t *testing.T) {
	small, large := archive(t, noise(10, 300)), archive(t, noise(11, 200_000), noise(12, 90_000))
	other := archive(t, noise(13, 200_000), noise(14, 90_000)) // as large
	plain := noise(15, 100_000)                                // no archive
	commented := append(slices.Clone(small[:len(small)-2]), "\x04\x00note"...)
	patched := func(pack []byte, at int) []byte {
		pack = slices.Clone(pack)
		pack[at] ^= 1
		return pack
	}
	s, l, o, p, c := markerOf("small", small), markerOf("large", large), markerOf("other", other), markerOf("plain", plain), markerOf("commented", commented)
	for _, test := range []struct {
		name  string
		parts [][]byte
		want  string
	}{
		{"no marker", [][]byte{small, large}, ""},
		{"one", [][]byte{text(s), small}, line("small", "present")},
		{"bytes first", [][]byte{small, text(s)}, line("small", "present")},
		{"a marker twice", [][]byte{text(s), small, text(s)}, line("small", "present")},
		{"several", [][]byte{text(s), large, text(p), text(l), small, plain, other, text(o)}, line("large", "present") + line("other", "present") + line("plain", "present") + line("small", "present")},
		{"no bytes", [][]byte{text(s), text(l), large}, line("large", "present") + line("small", "absent")},
		{"in another archive", [][]byte{text(s), text(l), archive(t, large, small)}, line("large", "present") + line("small", "present")},
		{"other bytes of the same size", [][]byte{text(l), other}, line("large", "other")},
		{"other bytes, and the right ones", [][]byte{text(l), other, large}, line("large", "present")},
		{"changed in the beginning", [][]byte{text(s), text(l), patched(large, 1000), small}, line("large", "other") + line("small", "present")},
		{"changed in the end", [][]byte{text(l), patched(large, 250_000)}, line("large", "other")},
		{"changed in the head", [][]byte{text(l), patched(large, 5)}, line("large", "absent")},
		{"no archive, changed late", [][]byte{text(p), patched(plain, 90_000)}, line("plain", "other")},
		{"no archive, changed early", [][]byte{text(p), patched(plain, 1000)}, line("plain", "absent")},
		{"cut", [][]byte{text(l), large[:len(large)-1]}, line("large", "other")},
		{"an archive with a comment", [][]byte{text(c), commented}, line("commented", "present")},
		{"an archive with a comment, not there", [][]byte{text(c), large, small}, line("commented", "absent")},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := packsOf(t, elf(test.parts...)); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

// The last byte of the file may be a pack's.
func TestPackAtTheEnd(t *testing.T) {
	pack := archive(t, noise(10, 300))
	file := append(elf(text(markerOf("a", pack))), pack...)
	if got, want := packsOf(t, file), line("a", "present"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Short packs, which cannot be archives, are found by all of their bytes.
func TestShortPacks(t *testing.T) {
	var parts [][]byte
	for _, pack := range []string{"", "x", "hello world\n", "0123456789abcdef", "0123456789abcdefg"} {
		parts = append(parts, text(markerOf(fmt.Sprintf("n%d", len(pack)), []byte(pack))), []byte(pack))
	}
	parts = append(parts, text(markerOf("gone", []byte("not in the file"))))
	lie := markerOf("lie", []byte("hello world\n"))
	lie.LayerDigest = ociref.DigestOf([]byte("other"))
	parts = append(parts, text(lie))
	want := line("gone", "absent") + line("lie", "other") + line("n0", "present") + line("n1", "present") + line("n12", "present") + line("n16", "present") + line("n17", "present")
	if got := packsOf(t, elf(parts...)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Two packages of packs may have the same names, and the same bytes.
func TestTwoPackages(t *testing.T) {
	pack, other := archive(t, noise(10, 300)), archive(t, noise(11, 300))
	a, b, c := markerOf("a", pack), markerOf("a", pack), markerOf("a", other)
	b.Package, c.Package = "example.com/dependency/packs", "example.com/third"
	want := "example.com/app/packs a present\nexample.com/dependency/packs a present\nexample.com/third a absent\n"
	if got := packsOf(t, elf(text(c), text(b), pack, text(a))); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Wherever a pack lies, no border between two reads hides it.
func TestBorders(t *testing.T) {
	pack := archive(t, noise(10, 300))
	m := text(markerOf("a", pack))
	for shift := range 40 {
		file := elf(m)
		file = append(file, make([]byte, 256<<10-20+shift-len(file))...)
		file = append(file, pack...)
		if got, want := packsOf(t, file), line("a", "present"); got != want {
			t.Errorf("at 256 KiB - %d: got %s", 20-shift, got)
		}
	}
}

// Many packs with many heads are looked for at once.
func TestManyHeads(t *testing.T) {
	var parts [][]byte
	var want strings.Builder
	for i := range 300 {
		pack := noise(uint64(100+i), 1000+i)
		name := fmt.Sprintf("p%03d", i)
		parts = append(parts, text(markerOf(name, pack)))
		if i%3 == 0 {
			want.WriteString(line(name, "absent"))
		} else {
			parts = append(parts, pack)
			want.WriteString(line(name, "present"))
		}
	}
	if got := packsOf(t, elf(parts...)); got != want.String() {
		t.Errorf("got\n%swant\n%s", got, want.String())
	}
}

// A thousand archives that begin alike, and whose files begin like an archive, cost no more
// than their bytes.
func TestEqualHeads(t *testing.T) {
	var parts [][]byte
	var want strings.Builder
	for i := range 1000 {
		var files [][]byte
		for j := range 20 {
			files = append(files, noise(uint64(100*i+j), 200+i%7*j))
		}
		pack := archive(t, files...)
		name := fmt.Sprintf("p%03d", i)
		parts = append(parts, text(markerOf(name, pack)), pack)
		want.WriteString(line(name, "present"))
	}
	gone := archive(t, noise(9, 100_000)) // it is not among the files of the others either
	parts = append(parts, text(markerOf("gone", gone)))
	if got := packsOf(t, elf(parts...)); got != line("gone", "absent")+want.String() {
		t.Errorf("got\n%swant\n%s", got, want.String())
	}
}

// A thousand archives that begin alike and have one size are hashed once at each place.
func TestEqualSizes(t *testing.T) {
	var parts [][]byte
	var want strings.Builder
	for i := range 1000 {
		pack, name := archive(t, noise(uint64(i), 500), noise(uint64(i+1), 100)), fmt.Sprintf("p%03d", i)
		parts = append(parts, text(markerOf(name, pack)), pack)
		want.WriteString(line(name, "present"))
	}
	if got := packsOf(t, elf(parts...)); got != want.String() {
		t.Errorf("got\n%.1000s", got)
	}
}

func TestUniversal(t *testing.T) {
	const amd64, arm64, unknown = 0x01000007, 0x0100000c, 0x77
	a, b := archive(t, noise(10, 300)), archive(t, noise(11, 70_000))
	patched := slices.Clone(b)
	patched[69_000] ^= 1
	ma, mb := text(markerOf("a", a)), text(markerOf("b", b))
	file := universal(map[uint32][]byte{
		amd64: elf(ma, mb, a, b), arm64: elf(mb, patched, a, b[:1000]), unknown: elf(ma, mb, b),
	}, amd64, arm64, unknown)
	want := "example.com/app/packs a absent amd64,processor 0x77\nexample.com/app/packs b other amd64,arm64,processor 0x77\n"
	if got := packsOf(t, file); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	f, err := packs.New(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Architectures(), []string{"amd64", "arm64", "processor 0x77"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Each image has a name of its own, also if two are for one processor.
func TestVariants(t *testing.T) {
	const amd64, arm64 = 0x01000007, 0x0100000c
	for _, test := range []struct {
		cpu, variant uint32
		want         string
	}{
		{amd64, 3, "amd64"}, {amd64, 8, "amd64 (variant 8)"}, {7, 3, "386"}, {12, 11, "arm (variant 11)"},
		{arm64, 0, "arm64"}, {arm64, 1, "arm64 (variant 1)"}, {arm64, 2, "arm64e"}, {arm64, 0x80000002, "arm64e"},
		{0x77, 5, "processor 0x77 (variant 5)"},
	} {
		file := universal(map[uint32][]byte{arm64 + 1: elf(), test.cpu: elf()}, test.cpu, arm64+1)
		binary.BigEndian.PutUint32(file[12:], test.variant)
		f, err := packs.New(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := f.Architectures(), []string{test.want, "processor 0x100000d"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWasm(t *testing.T) {
	zeros := archive(t, make([]byte, 5000), noise(10, 100), make([]byte, 100), noise(11, 70_000), make([]byte, 1000))
	small := archive(t, noise(12, 300))
	var segments []data
	segments = append(segments, sparse(1<<20, zeros)...)
	segments = append(segments, sparse(3<<30, small)...) // signed numbers are negative here
	segments = append(segments, data{4096, text(markerOf("zeros", zeros))}, data{2 << 20, text(markerOf("small", small))})
	if len(segments) < 8 {
		t.Fatalf("%d segments: there are no zeros", len(segments))
	}
	if got, want := packsOf(t, wasm(segments...)), line("small", "present")+line("zeros", "present"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	segments[len(segments)/2].bytes[0] ^= 1
	if got, want := packsOf(t, wasm(segments...)), line("small", "present")+line("zeros", "other"); got != want {
		t.Errorf("with one bit changed: got\n%swant\n%s", got, want)
	}
	if got := packsOf(t, wasm()); got != "" {
		t.Errorf("without data: got %q", got)
	}
}

// A newer packvendor may have written more than this one understands.
func TestNewerMarker(t *testing.T) {
	newer := bytes.Replace(text(markerOf("a", nil)), []byte(" v1 "), []byte(" v2 "), 1)
	file := elf(newer)
	f, err := packs.New(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = f.Packs(t.Context())
	var version *packs.VersionError
	if want := `a newer packvendor wrote its markers, of version "v2"`; !errors.As(err, &version) || version.Version != "v2" || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// A marker that cannot be read is counted: the pack that it was for may be there.
func TestMalformedMarkers(t *testing.T) {
	pack := archive(t, noise(10, 300))
	good := text(markerOf("a", pack))
	badName, badSize := markerOf("No Name", pack), bytes.Replace(good, []byte(" size="), []byte(" size=x"), 1)
	for _, test := range []struct {
		name  string
		file  []byte
		packs string
		want  int
	}{
		{"none", elf(good, pack), line("a", "present"), 0},
		{"cut", elf(good[:len(good)-1], pack), "", 0}, // it has no end
		{"a name", elf(text(badName), pack), "", 1},
		{"one twice", elf(badSize, pack, badSize), "", 1},
		{"two", elf(badSize, text(badName), good, pack), line("a", "present"), 2},
		{"in two images", universal(map[uint32][]byte{7: elf(badSize), 12: elf(badSize)}, 7, 12), "", 1},
	} {
		f, err := packs.New(bytes.NewReader(test.file), int64(len(test.file)))
		if err != nil {
			t.Fatal(err)
		}
		found, malformed, err := f.Packs(t.Context())
		if err != nil || linesOf(found) != test.packs || malformed != test.want {
			t.Errorf("%s: got %q, %d malformed, %v, want %d", test.name, linesOf(found), malformed, err, test.want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	file := elf()
	f, err := packs.New(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = f.Packs(ctx); err != stop {
		t.Errorf("got %v", err)
	}
}

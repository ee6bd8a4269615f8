package program_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/marker"
	packs "github.com/greenticai/packvendor/internal/program"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// ar returns the beginning of an archive whose first member has that name.
func ar(name string) string { return fmt.Sprintf("!<arch>\n%-16s%-42s`\n", name, "0") }

func TestFormatOf(t *testing.T) {
	dos := append([]byte("MZ"), make([]byte, 62)...)
	pe := bytes.Clone(dos)
	pe[0x3c] = 64
	pe = append(pe, "PE\x00\x00"...)
	far := bytes.Clone(pe)
	far[0x3f] = 0xff
	for _, test := range []struct {
		file string
		want packs.Format
	}{
		{"", ""},
		{"\x7fEL", ""},
		{"\x7fELF", packs.ELF},
		{"\xcf\xfa\xed\xfe", packs.MachO},
		{"\xfe\xed\xfa\xce", packs.MachO},
		{"\xca\xfe\xba\xbe\x00\x00\x00\x02", packs.Universal},
		{"\xca\xfe\xba\xbf\x00\x00\x00\x02", packs.Universal},
		{"\xca\xfe\xba\xbe\x00\x00\x00\x34", ""}, // a class of Java 8
		{"\xca\xfe\xba\xbe", ""},
		{string(dos), ""},
		{string(pe), packs.PE},
		{string(far), ""},
		{"MZ", ""},
		{"\x00asm\x01\x00\x00\x00", packs.Wasm},
		{"\x00asm\x0d\x00\x01\x00", ""}, // a component
		{"\x01\xf7\x00\x00", packs.XCOFF},
		{"\x00\x00\x8a\x97", packs.Plan9},
		{ar("/"), packs.Archive},
		{ar("/SYM64/"), packs.Archive},
		{ar("__.SYMDEF"), packs.Archive},
		{ar("#1/20") + "__.SYMDEF SORTED\x00\x00\x00\x00", packs.Archive},
		{ar("go.o/"), packs.Archive},
		{ar("debian-binary"), ""},
		{ar("#1/20") + "debian-binary and so", ""},
		{ar("//"), ""},
		{"!<arch>\n", ""},
		{"PK\x03\x04", ""},
		{"#!/bin/sh\n", ""},
	} {
		got, err := packs.FormatOf(strings.NewReader(test.file))
		if got != test.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", test.file, got, err, test.want)
		}
	}
	failure := errors.New("failure")
	if _, err := packs.FormatOf(failing{failure}); err != failure {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestNew(t *testing.T) {
	table := func(entries ...uint32) string {
		file := binary.BigEndian.AppendUint32([]byte("\xca\xfe\xba\xbe"), uint32(len(entries)/2))
		for i := 0; i < len(entries); i += 2 {
			for _, n := range []uint32{0x01000007, 0, entries[i], entries[i+1], 0} {
				file = binary.BigEndian.AppendUint32(file, n)
			}
		}
		return string(file) + strings.Repeat("x", 100)
	}
	module := func(body string) string { return "\x00asm\x01\x00\x00\x00" + body }
	section := func(body string) string { return module("\x0b" + string(rune(len(body))) + body) }
	for _, test := range []struct{ name, file, want string }{
		{"text", "#!/bin/sh", "the file has no format of a program that Go links"},
		{"universal, cut", table(28, 10)[:20], "malformed universal Mach-O file: it ends within its header"},
		{"universal, empty", table(), "malformed universal Mach-O file: it has no image"},
		{"universal, too far", table(129, 0), "malformed universal Mach-O file: its image for amd64 reaches beyond the end of the file"},
		{"universal, too long", table(28, 101), "malformed universal Mach-O file: its image for amd64 reaches beyond the end of the file"},
		{"universal, huge", table(28, 0xffffffff), "malformed universal Mach-O file: its image for amd64 reaches beyond the end of the file"},
		{"universal, shared", table(50, 50, 99, 2), "malformed universal Mach-O file: its images for amd64 and amd64 overlap"},
		{"universal, twice", table(50, 10, 60, 10), "malformed universal Mach-O file: it has two images for amd64"},
		{"Wasm, cut", module("\x0b"), "malformed Wasm file: it ends in the middle"},
		{"Wasm, long section", module("\x00\x05abc"), "malformed Wasm file: a size in it reaches beyond the end of the file"},
		{"Wasm, long number", module("\x0b\xff\xff\xff\xff\xff\x01"), "malformed Wasm file: it has a number of more than 32 bits"},
		{"Wasm, many segments", section("\xff\xff\xff\xff\x0f"), "malformed Wasm file: it has 4294967295 data segments, and packvendor reads at most 1048576"},
		{"Wasm, missing segments", section("\x80\x80\x04"), "malformed Wasm file: it ends in the middle"},
		{"Wasm, long segment", section("\x01\x00\x41\x00\x0b\x05abcd"), "malformed Wasm file: a size in it reaches beyond the end of the file"},
		{"Wasm, a global address", section("\x01\x00\x23\x00\x0b\x01a"), "malformed Wasm file: the address of a data segment is no constant"},
		{"Wasm, a computed address", section("\x01\x00\x41\x00\x41\x00\x6a\x0b\x01a"), "malformed Wasm file: the address of a data segment is no constant"},
		{"Wasm, address beyond", section("\x01\x00\x42\x80\x80\x80\x80\x20\x0b\x01a"), "malformed Wasm file: a data segment is beyond the first 4 GiB of the memory"},
		{"Wasm, negative address", section("\x01\x00\x42\x7f\x0b\x01a"), "malformed Wasm file: a data segment is beyond the first 4 GiB of the memory"},
		{"Wasm, end beyond", section("\x01\x00\x41\x7f\x0b\x02ab"), "malformed Wasm file: a data segment ends beyond the memory"},
		{"Wasm, overlap", section("\x02\x00\x41\x08\x0b\x01a\x00\x41\x00\x0b\x09123456789"), "malformed Wasm file: its data segments overlap"},
		{"Wasm, short section", section("\x01\x00\x41\x00\x0b\x01az"), "malformed Wasm file: its data section does not have the size that it says"},
		{"Wasm, unknown section", module("\x63\x01a") + "\x0b\x01\x00", ""},
		{"Wasm, other kinds of segments", section("\x03\x01\x01a\x02\x00\x41\x05\x0b\x01b\x00\x42\x01\x0b\x00"), ""},
	} {
		_, err := packs.New(strings.NewReader(test.file), int64(len(test.file)))
		got := ""
		if err != nil {
			got = err.Error()
		}
		var format *packs.FormatError
		if got != test.want || err != nil && !errors.As(err, &format) {
			t.Errorf("%s: got %q (%T), want %q", test.name, got, err, test.want)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	var place *regularfile.PlaceError
	if _, err := packs.Open(dir); !errors.As(err, &place) || err.Error() != dir+" is not a regular file" {
		t.Errorf("got %v", err)
	}
	if _, err := packs.Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var format *packs.FormatError
	if _, err := packs.Open(script); !errors.As(err, &format) {
		t.Errorf("got %v", err)
	}
}

// This program holds all of the code that reads markers.
func TestNoMarkerHere(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := packs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if found, _, err := f.Packs(t.Context()); err != nil || found != nil {
		t.Errorf("got %v, %v", found, err)
	}
}

// A huge is an ELF file of a size that no machine has in memory: parts, then filling.
type huge struct {
	head    []byte
	filling []byte // repeated; its length divides that of a page
	size    int64
}

func (h huge) ReadAt(p []byte, at int64) (int, error) {
	n := int(max(0, min(int64(len(p)), h.size-at)))
	for i := 0; i < n; {
		if at+int64(i) < int64(len(h.head)) {
			i += copy(p[i:n], h.head[at+int64(i):])
			continue
		}
		offset := (at + int64(i) - int64(len(h.head))) % int64(len(h.filling))
		i += copy(p[i:n], h.filling[offset:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func scan(t *testing.T, r io.ReaderAt, size int64) ([]packs.Pack, error) {
	t.Helper()
	f, err := packs.New(r, size)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // it takes about a second
	defer cancel()
	found, _, err := f.Packs(ctx)
	return found, err
}

// Whatever a file holds, the memory is bounded, and there is an answer.
func TestHostile(t *testing.T) {
	pack := archive(t, noise(10, 300))
	many := func(fill []byte, size int64, heads ...[]byte) huge {
		return huge{head: elf(heads...), filling: fill, size: size}
	}
	claims := markerOf("claims", pack) // a size beyond the file
	claims.Size = 1 << 40
	zeros := markerOf("zeros", make([]byte, 1<<20))
	starts := bytes.Repeat([]byte("PK\x03\x04\x14\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 4096)
	like := markerOf("like", append(bytes.Clone(starts[:16]), noise(4, 500)...))
	ends := markerOf("ends", append(bytes.Clone(starts[:16]), noise(4, 16*22-16)...))
	var manyHeads [][]byte
	var absent strings.Builder
	for i := range 10_000 {
		name := fmt.Sprintf("p%04d", i)
		manyHeads = append(manyHeads, text(markerOf(name, append([]byte("PK\x03\x04"), noise(uint64(i), 100)...))))
		absent.WriteString(line(name, "absent"))
	}
	for _, test := range []struct {
		name string
		file huge
		want string
	}{
		{"a size beyond the file", many(pack, 64<<20, text(claims)), line("claims", "absent")},
		{"zeros", many(make([]byte, 4096), 64<<20, text(zeros)), line("zeros", "present")},
		{"places without end", many(starts, 64<<20, text(like)), line("like", "unknown")},
		{"places and ends", many([]byte("PK\x03\x04\x14\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00PK\x05\x06"), 64<<20, text(ends)), line("ends", "unknown")},
		{"one marker again and again", many(text(markerOf("a", pack)), 64<<20, pack), line("a", "present")},
		{"heads that begin alike", many([]byte("PK\x03\x04"), 64<<20, manyHeads...), absent.String()},
		{"starts of markers", many(marker.Start(), 64<<20), ""},
		{"a marker without end", many([]byte("a"), 64<<20, marker.Start()), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBoundedMemory(t, func(t *testing.T) {
				found, err := scan(t, test.file, test.file.size)
				if err != nil || linesOf(found) != test.want {
					t.Errorf("got %.1000q, %v, want %.1000q", linesOf(found), err, test.want)
				}
			})
		})
	}
}

// A flood of places for one pack leaves room for the others.
func TestFlood(t *testing.T) {
	for _, others := range []int{1, 3, 4, 10} { // in the last two, there are more heads than are looked for one by one
		zeros := markerOf("zeros", append(make([]byte, 16), noise(5, 5000)...))
		parts, want := [][]byte{text(zeros)}, ""
		for i := range others {
			pack, name := noise(uint64(20+i), 1000), fmt.Sprintf("a%02d", i)
			parts = append(parts, text(markerOf(name, pack)), make([]byte, maxGroupPlaces/2), pack)
			want += line(name, "present")
		}
		parts = append(parts, make([]byte, maxGroupPlaces))
		if got := packsOf(t, elf(parts...)); got != want+line("zeros", "unknown") {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}

// No more is hashed than twice the size of the file.
func TestBudget(t *testing.T) {
	head := "0123456789abcdef"
	pack := append([]byte(head), noise(6, 200_000)...)
	file := elf(text(markerOf("a", pack)), bytes.Repeat([]byte(head), 100_000))
	if got, want := packsOf(t, file), line("a", "unknown"); got != want {
		t.Errorf("got %s", got)
	}
}

// The images of a universal file together are searched no longer than another file. Each has its
// share, and what it leaves is for the next ones.
func TestManyComparisonsInImages(t *testing.T) {
	var parts [][]byte
	absent, unknown := "", ""
	head := []byte("0123456789abcdef")
	for i := range 1000 {
		m := markerOf(fmt.Sprintf("p%03d", i), append(bytes.Clone(head), noise(uint64(i), 20)...))
		m.Size = 1 << 40 // no place has room
		parts = append(parts, text(m))
		absent += line(m.Name, "absent")
		unknown += line(m.Name, "unknown")
	}
	slow, quick := elf(append(parts, bytes.Repeat(head, 5000))...), elf()
	for _, test := range []struct {
		name string
		file func(cpu uint32) []byte // the image of a processor
		want string
	}{
		{"slow", func(uint32) []byte { return slow }, unknown},
		{"one is slow", func(cpu uint32) []byte { return map[bool][]byte{true: slow, false: quick}[cpu == 31] }, absent},
	} {
		images, order := map[uint32][]byte{}, []uint32{}
		for cpu := range uint32(32) {
			images[cpu], order = test.file(cpu), append(order, cpu)
		}
		file := universal(images, order...)
		found, err := scan(t, bytes.NewReader(file), int64(len(file)))
		for i := range found {
			found[i].Architectures = nil
		}
		if err != nil || linesOf(found) != test.want {
			t.Errorf("%s: got %.300q, %v, want %.300q", test.name, linesOf(found), err, test.want)
		}
	}
}

// maxGroupPlaces is up to how many places are kept for packs that begin alike.
const maxGroupPlaces = 1 << 18

// A million markers that differ are more than are read.
func TestMillionMarkers(t *testing.T) {
	for _, test := range []struct {
		name string
		text func(i int) []byte
	}{
		{"short", func(i int) []byte { return text(markerOf(fmt.Sprintf("p%d", i), nil)) }},
		{"long", func(i int) []byte {
			m := markerOf(fmt.Sprintf("p%d", i), nil)
			m.Ref = strings.Repeat("x", 100_000)
			return text(m)
		}},
		{"malformed", func(i int) []byte { return text(markerOf(fmt.Sprintf("P%d", i), nil)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBoundedMemory(t, func(t *testing.T) {
				_, err := scan(t, &generated{text: test.text}, 1<<40)
				var limit *packs.LimitError
				if !errors.As(err, &limit) || err.Error() != "it has more than 10000 markers, or more than 8388608 bytes of them" {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// The images of a universal file together have no more markers than another file.
func TestManyMarkersInImages(t *testing.T) {
	images, order := map[uint32][]byte{}, []uint32{}
	for cpu := range uint32(3) {
		var markers [][]byte
		for i := range 4000 {
			markers = append(markers, text(markerOf(fmt.Sprintf("p%d-%d", cpu, i), nil)))
		}
		images[cpu], order = elf(markers...), append(order, cpu)
	}
	for n, want := range map[int]string{
		2: "<nil>",
		3: "it has more than 10000 markers, or more than 8388608 bytes of them",
	} {
		file := universal(images, order[:n]...)
		if _, err := scan(t, bytes.NewReader(file), int64(len(file))); fmt.Sprint(err) != want {
			t.Errorf("%d images: got %v, want %s", n, err, want)
		}
	}
}

// A generated file is read in its order, and has one text after the other.
type generated struct {
	text func(i int) []byte
	i    int
	left []byte
}

func (g *generated) ReadAt(p []byte, at int64) (int, error) {
	if at == 0 {
		copy(p, "\x7fELF")
		return len(p), nil
	}
	n := 0
	for n < len(p) {
		if len(g.left) == 0 {
			g.left = g.text(g.i)
			g.i++
		}
		copied := copy(p[n:], g.left)
		n, g.left = n+copied, g.left[copied:]
	}
	return n, nil
}

package program_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
	packs "github.com/greenticai/packvendor/internal/program"
)

// noise returns bytes that do not repeat, the same for the same seed.
func noise(seed uint64, size int) []byte {
	b := make([]byte, size)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	source.Read(b)
	return b
}

// archive returns a zip archive of stored files with this content. All archives, and all files
// in them, begin alike.
func archive(t testing.TB, files ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, content := range files {
		file, err := w.CreateHeader(&zip.FileHeader{Name: strconv.Itoa(i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// markerOf returns the marker of a pack in the package example.com/app/packs.
func markerOf(name string, pack []byte) marker.Marker {
	return marker.Marker{
		Package: "example.com/app/packs", Name: name,
		Ref: "ghcr.io/acme/" + name + ":1.0", ManifestDigest: ociref.DigestOf([]byte(name)), LayerDigest: ociref.DigestOf(pack),
		Size: int64(len(pack)), MediaType: "application/vnd.greentic.gtpack.v1+zip", Sample: marker.SampleOf(pack),
	}
}

// elf returns what looks like an ELF file, with these parts between other bytes.
func elf(parts ...[]byte) []byte {
	file := append([]byte("\x7fELF"), noise(1, 5000)...)
	for _, part := range parts {
		file = append(append(file, part...), noise(2, 77)...)
	}
	return file
}

// text returns a marker as it stands in a program.
func text(m marker.Marker) []byte { return []byte(marker.Format(m)) }

// packsOf returns the packs of a file, a line each.
func packsOf(t testing.TB, file []byte) string {
	t.Helper()
	f, err := packs.New(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := f.Packs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return linesOf(found)
}

func linesOf(found []packs.Pack) string {
	var lines strings.Builder
	for _, p := range found {
		line := p.Package + " " + p.Name + " " + p.State.String() + " " + strings.Join(p.Architectures, ",")
		lines.WriteString(strings.TrimSpace(line) + "\n")
	}
	return lines.String()
}

// universal returns a universal Mach-O file of images, each with its processor.
func universal(images map[uint32][]byte, order ...uint32) []byte {
	file := []byte{0xca, 0xfe, 0xba, 0xbe}
	file = binary.BigEndian.AppendUint32(file, uint32(len(order)))
	at := 8 + 20*len(order)
	for _, cpu := range order {
		for _, n := range []int{int(cpu), 0, at, len(images[cpu]), 0} {
			file = binary.BigEndian.AppendUint32(file, uint32(n))
		}
		at += len(images[cpu])
	}
	for _, cpu := range order {
		file = append(file, images[cpu]...)
	}
	return file
}

// A data is a segment of a Wasm module.
type data struct {
	address int64
	bytes   []byte
}

// wasm returns a module with a section of code and these data segments.
func wasm(segments ...data) []byte {
	body := binary.AppendUvarint(nil, uint64(len(segments)))
	for _, s := range segments {
		body = append(body, 0, 0x41)
		body = append(appendSigned(body, int64(int32(s.address))), 0x0b)
		body = append(binary.AppendUvarint(body, uint64(len(s.bytes))), s.bytes...)
	}
	file := []byte("\x00asm\x01\x00\x00\x00")
	code := noise(3, 1000)
	file = append(binary.AppendUvarint(append(file, 10), uint64(len(code))), code...)
	return append(binary.AppendUvarint(append(file, 11), uint64(len(body))), body...)
}

// appendSigned appends a number in signed LEB128.
func appendSigned(b []byte, n int64) []byte {
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// sparse returns segments that hold bytes at an address without its runs of more than eight
// zeros, as Go's linker writes them.
func sparse(address int64, b []byte) []data {
	var segments []data
	for len(b) > 0 {
		end := bytes.Index(b, make([]byte, 9))
		if end < 0 {
			return append(segments, data{address, b})
		}
		if end > 0 {
			segments = append(segments, data{address, b[:end]})
		}
		zeros := len(b[end:]) - len(bytes.TrimLeft(b[end:], "\x00"))
		address, b = address+int64(end+zeros), b[end+zeros:]
	}
	return segments
}

package gtpack

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// raw is an archive of a manifest and one file whose header says anything.
func raw(t testing.TB, h zip.FileHeader, data []byte) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	manifest := v1(t, nil)
	w, err := z.Create(manifest.name)
	if err == nil {
		_, err = w.Write(manifest.data)
	}
	if err == nil {
		w, err = z.CreateRaw(&h)
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

// overlapping is an archive whose list of files names one n times.
func overlapping(t testing.TB, n int) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	io.Copy(&b, stored(t, file{"0", packtest.Zip("p", "1.0.0", 1000)}))
	end := b.Bytes()[b.Len()-22:] // https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.16
	size, offset := binary.LittleEndian.Uint32(end[12:]), binary.LittleEndian.Uint32(end[16:])
	entry := b.Bytes()[offset : offset+size]
	out := bytes.Clone(b.Bytes()[:offset])
	for i := range n {
		entry[46] = byte('0' + i)
		out = append(out, entry...)
	}
	binary.LittleEndian.PutUint16(end[8:], uint16(n))
	binary.LittleEndian.PutUint16(end[10:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], size*uint32(n))
	return bytes.NewReader(append(out, end...))
}

// before is an archive with a file that begins before the first byte.
func before(t testing.TB) *bytes.Reader {
	t.Helper()
	far := binary.LittleEndian.AppendUint64([]byte{1, 0, 8, 0}, 1<<63) // section 4.5.3: offsets of 64 bits
	src := raw(t, zip.FileHeader{Name: "x", Extra: far}, nil)
	data := make([]byte, src.Len())
	src.ReadAt(data, 0)
	entry := bytes.LastIndex(data, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(data[entry+42:], 1<<32-1)
	return bytes.NewReader(data)
}

func TestHostileArchives(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 1000)
	sum := crc32.ChecksumIEEE(data)
	for name, test := range map[string]struct {
		src  Source
		want string
	}{
		"bytes of two files": {overlapping(t, 2), "the archive cannot be read: its files overlap"},
		"a negative offset":  {before(t), "x cannot be read: zip: not a valid zip file"},
		"more packed bytes than there are": {
			raw(t, zip.FileHeader{Name: "x", CompressedSize64: 1 << 40, UncompressedSize64: 1 << 40}, data),
			"the archive cannot be read: its files overlap",
		},
		"packed bytes that overflow": {
			raw(t, zip.FileHeader{Name: "x", CompressedSize64: 1<<64 - 1, UncompressedSize64: 1}, data),
			"the archive cannot be read: its files overlap",
		},
		"fewer bytes than it says": {
			raw(t, zip.FileHeader{Name: "x\n", CRC32: sum, CompressedSize64: 1000, UncompressedSize64: 1 << 40}, data),
			`"x\n" cannot be read: unexpected EOF`,
		},
		"more bytes than it says": {
			raw(t, zip.FileHeader{Name: "x", CRC32: sum, CompressedSize64: 1000, UncompressedSize64: 10}, data),
			"x cannot be read: zip: not a valid zip file",
		},
		"another checksum": {
			raw(t, zip.FileHeader{Name: "x", CRC32: 1, CompressedSize64: 1000, UncompressedSize64: 1000}, data),
			"x cannot be read: zip: checksum error",
		},
		"an unknown method": {
			raw(t, zip.FileHeader{Name: "x", Method: 99, CRC32: sum, CompressedSize64: 1000, UncompressedSize64: 1000}, data),
			"x cannot be read: zip: unsupported compression algorithm",
		},
		"nothing that is deflated": {
			raw(t, zip.FileHeader{Name: "x", Method: zip.Deflate, CompressedSize64: 1000, UncompressedSize64: 1000}, data),
			"x cannot be read: flate: corrupt input before offset 5",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var malformed *MalformedError
			if _, err := Read(t.Context(), test.src); !errors.As(err, &malformed) || err.Error() != test.want {
				t.Errorf("Read: got  %v\nwant %s", err, test.want)
			}
			if _, err := Diff(t.Context(), test.src, test.src); !errors.As(err, &malformed) || err.Error() != "old: "+test.want {
				t.Errorf("Diff: got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	manifest := v1(t, nil)
	files := []file{manifest}
	for i := range 100 {
		files = append(files, file{fmt.Sprintf("%0100d", i), []byte("0123456789")})
	}
	src := stored(t, files...)
	bomb := archiveOf(t, zip.Deflate, manifest, file{"zeros", make([]byte, 1<<20)})
	size := int64(len(manifest.data))
	for name, test := range map[string]struct {
		src    Source
		change func(*bounds)
		want   string
	}{
		"files":         {src, func(b *bounds) { b.files = 101 }, ""},
		"too many":      {src, func(b *bounds) { b.files = 100 }, "the archive cannot be read: more than 100 files"},
		"their list":    {src, func(b *bounds) { b.directory = 24 << 10 }, ""},
		"too long":      {src, func(b *bounds) { b.directory = 12 << 10 }, "the archive cannot be read: the list of its files is too long"},
		"a manifest":    {src, func(b *bounds) { b.document = size }, ""},
		"too large":     {src, func(b *bounds) { b.document = size - 1 }, fmt.Sprintf("manifest.cbor cannot be read: longer than %d bytes", size-1)},
		"all files":     {src, func(b *bounds) { b.unpacked = size + 1000 }, ""},
		"too much":      {src, func(b *bounds) { b.unpacked = size + 999 }, fmt.Sprintf("the archive cannot be read: unpacks to more than %d bytes", size+999)},
		"zeros":         {bomb, func(b *bounds) { b.unpacked = size + 1<<20 }, ""},
		"a zip bomb":    {bomb, func(b *bounds) { b.unpacked = 1 << 20 }, "the archive cannot be read: unpacks to more than 1048576 bytes"},
		"a large lock":  {stored(t, manifest, file{"pack.lock.cbor", make([]byte, 200)}), func(b *bounds) { b.document = 199 }, "pack.lock.cbor cannot be read: longer than 199 bytes"},
		"a large SBOM":  {stored(t, manifest, file{"sbom.json", make([]byte, 200)}), func(b *bounds) { b.document = 199 }, "sbom.json cannot be read: longer than 199 bytes"},
		"the constants": {src, func(b *bounds) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bounds := defaults
			test.change(&bounds)
			var malformed *MalformedError
			_, err := read(t.Context(), test.src, bounds)
			if test.want == "" && err != nil {
				t.Error(err)
			} else if test.want != "" && (!errors.As(err, &malformed) || err.Error() != test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// Paths that lead anywhere are names like others, also for programs that ask Go
// to refuse them.
func TestInsecurePaths(t *testing.T) {
	for _, debug := range []string{"zipinsecurepath=0", "zipinsecurepath=1"} {
		t.Setenv("GODEBUG", debug)
		src := stored(t, v1(t, nil), file{"../../etc/passwd", nil}, file{"/x", nil}, file{`C:\x`, nil}, file{"./x", nil})
		checkPack(t, src, &Pack{Format: FormatV1, ID: "p", Version: "1.0.0", Files: 5, Unpacked: 91})
	}
}

// Bytes before the archive, as in a self-extracting program, do not matter.
func TestPrefix(t *testing.T) {
	src := append([]byte("#!/bin/sh\n"), packtest.Zip("p", "1.0.0", 0)...)
	if p, err := Read(t.Context(), bytes.NewReader(src)); err != nil || p.ID != "p" || !p.SBOM.OK() {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Large files take no memory, however well they are packed.
func TestMemory(t *testing.T) {
	large := make([]byte, 8<<20)
	list := bill(file{"zeros", large})
	src := archiveOf(t, zip.Deflate, v1(t, nil), file{"zeros", large}, cborFile(t, "sbom.cbor", list))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := Read(t.Context(), src)
	if err != nil || p.SBOM.Matching != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	if changes, err := Diff(t.Context(), src, src); err != nil || changes != nil {
		t.Fatalf("%+v, %v", changes, err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
		t.Errorf("allocated %d bytes", n)
	}
}

// A failing is a Source that fails, or ends its reader's context, after some
// reads.
type failing struct {
	Source
	after int
	fail  func() error
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.after--; f.after < 0 {
		if err := f.fail(); err != nil {
			return 0, err
		}
	}
	return f.Source.ReadAt(p, off)
}

// Wherever the bytes break off, that is no fault of the archive's.
func TestSourceErrors(t *testing.T) {
	pack := bytes.NewReader(packtest.LegacyZip("p", "1.0.0"))
	cable := errors.New("cable cut")
	for name, read := range map[string]func(context.Context, Source) error{
		"Read":       func(ctx context.Context, src Source) error { _, err := Read(ctx, src); return err },
		"Diff's old": func(ctx context.Context, src Source) error { _, err := Diff(ctx, src, pack); return err },
		"Diff's new": func(ctx context.Context, src Source) error { _, err := Diff(ctx, pack, src); return err },
	} {
		n := 0
		for ; n < 1000; n++ {
			if err := read(t.Context(), &failing{pack, n, func() error { return cable }}); err == nil {
				break
			} else if !errors.Is(err, cable) {
				t.Errorf("%s: after %d reads: %v", name, n, err)
			}
		}
		if n < 10 || n == 1000 {
			t.Errorf("%s: %d reads", name, n)
		}
		for after := range n - 1 { // after the last read there is nothing left to end
			ctx, cancel := context.WithCancel(t.Context())
			if err := read(ctx, &failing{pack, after, func() error { cancel(); return nil }}); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: ended after %d reads: %v", name, after, err)
			}
			cancel()
		}
	}
}

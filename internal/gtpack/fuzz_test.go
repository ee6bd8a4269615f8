package gtpack

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// fuzzBounds keep what a run may unpack small, so that a slow one is a fault.
var fuzzBounds = bounds{files: 1000, directory: 1 << 20, document: 1 << 20, unpacked: 1 << 20}

// FuzzRead: whatever the bytes, there is a pack or one of the errors there are,
// soon, and the same one again.
func FuzzRead(f *testing.F) {
	for _, pack := range [][]byte{
		nil,
		packtest.Zip("p", "1.0.0", 0),
		packtest.Zip("p", "1.0.0", 100),
		packtest.LegacyZip("p", "1.0.0"),
	} {
		f.Add(pack)
	}
	manifest := v1(f, nil)
	for _, src := range []*bytes.Reader{
		stored(f),
		archiveOf(f, zip.Deflate, manifest, file{"a", make([]byte, 1000)}, cborFile(f, "sbom.cbor", bill(manifest))),
		stored(f, manifest, file{"a", nil}, file{"a", nil}),
		stored(f, jsonFile(f, "manifest.json", document{"manifest_id": "x"}), file{"metadata.json", []byte("{}")}),
		overlapping(f, 3),
		before(f),
		raw(f, zip.FileHeader{Name: "x", CompressedSize64: 3, UncompressedSize64: 1 << 40}, []byte("xyz")),
	} {
		data := make([]byte, src.Len())
		src.ReadAt(data, 0)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := checkRead(t, bytes.NewReader(data))
		changes, err := diff(t.Context(), bytes.NewReader(data), bytes.NewReader(data), fuzzBounds)
		if len(changes) > 0 || p != nil && err != nil {
			t.Errorf("Diff with itself: %v, %v", changes, err)
		}
	})
}

// FuzzDocuments reaches what random archives do not: checksums guard it.
func FuzzDocuments(f *testing.F) {
	manifest := v1(f, document{"components": []document{{"id": 0, "version": "1.0.0"}}, "dependencies": []document{{"pack_id": 1}}})
	legacy := cborFile(f, "manifest.cbor", document{"meta": document{"pack_id": "p", "authors": []string{"A"}}})
	designer := jsonFile(f, "manifest.json", document{"manifest_id": "x", "n": []any{1.5, true, nil, "\u00e9"}})
	list := bill(manifest, file{"x", nil})
	lock := cborFile(f, "pack.lock.cbor", document{"components": document{"x": document{"component_version": "1.0.0"}}})
	f.Add(manifest.data, cborFile(f, "", list).data, lock.data, false)
	f.Add(manifest.data, jsonFile(f, "", list).data, []byte(nil), true)
	f.Add(legacy.data, []byte("{}"), []byte("\xa0"), true)
	f.Add(designer.data, []byte("\xff"), []byte("{}"), false)
	f.Fuzz(func(t *testing.T, manifest, sbom, other []byte, inJSON bool) {
		name := map[bool]string{false: "sbom.cbor", true: "sbom.json"}[inJSON]
		checkRead(t, stored(t, file{"manifest.cbor", manifest}, file{name, sbom}, file{"pack.lock.cbor", other}))
		checkRead(t, stored(t, file{"manifest.json", manifest}, file{name, sbom}, file{"metadata.json", other}))
	})
}

func checkRead(t *testing.T, src Source) *Pack {
	t.Helper()
	start := time.Now()
	p, err := read(context.Background(), src, fuzzBounds)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	q, again := read(context.Background(), src, fuzzBounds)
	if (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
		t.Errorf("got %v, then %v", err, again)
	}
	if err != nil {
		checkError(t, err)
		return nil
	}
	checkSBOM(t, &p.SBOM, &q.SBOM)
	if !reflect.DeepEqual(p, q) {
		t.Errorf("got %+v, then %+v", p, q)
	}
	if p.Format == "" && !bytes.Contains(readAll(src), []byte("schema_version")) || p.Files > fuzzBounds.files || p.Unpacked > fuzzBounds.unpacked {
		t.Errorf("got %+v", p)
	}
	return p
}

func readAll(src Source) []byte {
	data := make([]byte, src.Size())
	src.ReadAt(data, 0)
	return data
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var notPack *NotPackError
	var malformed *MalformedError
	if !errors.As(err, &notPack) && !errors.As(err, &malformed) {
		t.Errorf("%T: %v", err, err)
	}
	message := err.Error()
	if len(message) > 2000 || strings.ContainsFunc(message, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("message %q", message)
	}
}

func checkSBOM(t *testing.T, s, again *SBOM) {
	t.Helper()
	if s.Err != nil {
		checkError(t, s.Err)
		s.Err, again.Err = nil, nil
	}
	if s.Matching > s.Files || len(s.Missing)+len(s.Mismatched)+s.Matching > s.Files {
		t.Errorf("got %+v", s)
	}
	for _, names := range [][]string{s.Missing, s.Mismatched, s.Unlisted} {
		if !slices.IsSorted(names) {
			t.Errorf("got %q", names)
		}
	}
}

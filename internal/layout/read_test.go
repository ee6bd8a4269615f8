package layout

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
)

// What Contents writes is what a Layout has.
func TestRoundTrip(t *testing.T) {
	c, layers := packs(t)
	eachKind(t, c, func(t *testing.T, path string) {
		l := mustOpen(t, path)
		if l.Path() != path || len(l.Entries()) != 2 || l.Entries()[0] != c.Entries[1] || l.Entries()[1] != c.Entries[0] { // by name
			t.Errorf("%s: %+v", l.Path(), l.Entries())
		}
		for i, layer := range layers {
			manifest, err := l.Manifest(c.Entries[i].Digest)
			if err != nil || !bytes.Equal(manifest, manifestOf(t, layer)) {
				t.Errorf("manifest %s, %v", manifest, err)
			}
			var b bytes.Buffer
			if err := l.Copy(t.Context(), &b, contentOf(layer)); err != nil || !bytes.Equal(b.Bytes(), layer) {
				t.Errorf("%d bytes, %v", b.Len(), err)
			}
			longer := verified.Content{Digest: ociref.DigestOf(layer), Size: int64(len(layer)) + 1}
			if !l.Has(ociref.DigestOf(layer)) || !l.HasContent(contentOf(layer)) || l.HasContent(longer) {
				t.Error("a layer is not there, or is longer")
			}
		}
		for name, want := range c.Files {
			if got, err := l.File(name, 1000); err != nil || string(got) != string(want) {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	})
}

// A file in the place of a folder has no blobs in it.
func TestNoBlobs(t *testing.T) {
	f := minimal(file{"blobs", ""})
	for _, path := range []string{f.folder(t), f.archive(t)} {
		if _, err := mustOpen(t, path).Manifest(ociref.DigestOf(nil)); !errors.As(err, new(*MissingError)) {
			t.Errorf("got %v", err)
		}
	}
}

func TestMissing(t *testing.T) {
	c, _ := packs(t)
	eachKind(t, c, func(t *testing.T, path string) {
		l := mustOpen(t, path)
		absent := ociref.DigestOf([]byte("absent"))
		_, err := l.Manifest(absent)
		err2 := l.Copy(t.Context(), io.Discard, verified.Content{Digest: absent, Size: 6})
		want := path + " has no blobs/sha256/" + absent.Hex()
		for _, err := range []error{err, err2} {
			if fmt.Sprint(err) != want || !errors.As(err, new(*MissingError)) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if _, err := l.File("no.evidence", 10); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
		if l.Has(absent) || l.HasContent(verified.Content{Digest: absent}) {
			t.Error("a blob is there that is not")
		}
	})
}

// A blob that lies is a mismatch, and so is one of another size before it is read.
func TestFault66d_Lies(t *testing.T) {
	manifest, layer := []byte(`{"a":1}`), []byte("layer")
	blobs := minimal(file{blobName(ociref.DigestOf(manifest)), `{"a":2}`}, file{blobName(ociref.DigestOf(layer)), "layex"})
	for _, path := range []string{blobs.folder(t), blobs.archive(t)} {
		l := mustOpen(t, path)
		var mismatch *verified.MismatchError
		if body, err := l.Manifest(ociref.DigestOf(manifest)); body != nil || !errors.As(err, &mismatch) {
			t.Errorf("%s, %v", body, err)
		}
		if err := l.Copy(t.Context(), io.Discard, contentOf(layer)); !errors.As(err, &mismatch) || mismatch.Got.Digest == "" {
			t.Errorf("got %v", err)
		}
		for _, size := range []int64{0, 4, 6, -1, 1 << 40} {
			var b bytes.Buffer
			err := l.Copy(t.Context(), &b, verified.Content{Digest: ociref.DigestOf(layer), Size: size})
			if !errors.As(err, &mismatch) || b.Len() > 0 {
				t.Errorf("size %d: %v, and %d bytes", size, err, b.Len())
			}
		}
	}
}

// What is read at once is bounded.
func TestFault66c_Bounds(t *testing.T) {
	large := strings.Repeat(" ", MaxManifest) + "x"
	digest := ociref.DigestOf([]byte(large))
	f := minimal(file{blobName(digest), large}, file{"packs.lock", "12345"})
	for _, path := range []string{f.folder(t), f.archive(t)} {
		l := mustOpen(t, path)
		var long *regularfile.LongError
		if _, err := l.Manifest(digest); !errors.As(err, &long) || long.Limit != MaxManifest {
			t.Errorf("got %v", err)
		}
		if _, err := l.File("packs.lock", 4); !errors.As(err, &long) || long.Error() != path+": packs.lock: the file is larger than 4 bytes" {
			t.Errorf("got %v", err)
		}
		if data, err := l.File("packs.lock", 5); err != nil || string(data) != "12345" {
			t.Errorf("got %s, %v", data, err)
		}
	}
}

// What is no layout, or one that is not understood.
func TestFault66b_NoLayout(t *testing.T) {
	entry := func(text string) string { return `{"manifests":[{` + text + `}]}` }
	digest := ociref.DigestOf(nil).String()
	for _, test := range []struct {
		files files
		want  string
	}{
		{files{}, "is no OCI image layout: it has no oci-layout"},
		{files{{"other", ""}}, "is no OCI image layout: it has no oci-layout"},
		{files{{markerName, goodMarker}}, "is no OCI image layout: it has no index.json"},
		{files{{markerName, ""}, {indexName, goodIndex}}, "is no OCI image layout that is understood: oci-layout: not JSON: unexpected EOF"},
		{files{{markerName, `{}`}, {indexName, goodIndex}}, "is no OCI image layout that is understood: oci-layout: imageLayoutVersion: missing"},
		{files{{markerName, `{"imageLayoutVersion":"2.0.0"}`}, {indexName, goodIndex}}, `is no OCI image layout that is understood: oci-layout: imageLayoutVersion: is "2.0.0", not "1.0.0"`},
		{files{{markerName, goodMarker + strings.Repeat(" ", maxMarker)}, {indexName, goodIndex}}, "has a file oci-layout of more than 4096 bytes"},
		{files{{markerName, goodMarker}, {indexName, goodIndex + strings.Repeat(" ", MaxIndex)}}, "has a file index.json of more than 16777216 bytes"},
		{files{{markerName, goodMarker}, {indexName, `{}`}}, "is no OCI image layout that is understood: index.json: manifests: missing"},
		{files{{markerName, goodMarker}, {indexName, `[]`}}, "is no OCI image layout that is understood: index.json: not a JSON object"},
		{files{{markerName, goodMarker}, {indexName, entry(`"digest":"` + digest + `","size":1`)}}, "is no OCI image layout that is understood: index.json: manifests[0].mediaType: missing"},
		{files{{markerName, goodMarker}, {indexName, entry(`"mediaType":"a/b","digest":"` + digest + `","size":-1`)}}, "is no OCI image layout that is understood: index.json: manifests[0].size: not a whole number that is small enough"},
		{files{{markerName + "/x", ""}}, "has no regular file in the place of oci-layout"},
	} {
		kinds := map[string]string{"folder": test.files.folder(t)}
		if len(test.files) > 0 && test.files[0].name != markerName+"/x" {
			kinds["archive"] = test.files.archive(t)
		}
		for kind, path := range kinds {
			l, err := Open(path)
			var format *FormatError
			if l != nil || !errors.As(err, &format) || format.Path != path || !strings.HasPrefix(format.Reason, test.want) {
				t.Errorf("%s %.100v\n got: %v\nwant: %s", kind, test.files, err, test.want)
			}
		}
	}
}

// Entries of other programs: without labels, with more keys, with other digests.
func TestEntries(t *testing.T) {
	digest := ociref.DigestOf(nil)
	index := `{"schemaVersion":2,"manifests":[
		{"mediaType":"a/b","digest":"` + digest.String() + `","size":7,"platform":{"os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"v1","x":"y"}},
		{"mediaType":"a/c","digest":"sha512:` + strings.Repeat("0", 128) + `","size":7},
		{"mediaType":"a/d","digest":"` + digest.String() + `","size":8}],"annotations":{}}`
	l := mustOpen(t, files{{markerName, goodMarker}, {indexName, index}}.folder(t))
	want := []Entry{
		{Name: "v1", MediaType: "a/b", Content: verified.Content{Digest: digest, Size: 7}},
		{MediaType: "a/d", Content: verified.Content{Digest: digest, Size: 8}},
	}
	if got := l.Entries(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v", got)
	}
}

func TestOpenPlaces(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("no tar archive, but long enough"+strings.Repeat(".", 1024)), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); fmt.Sprint(err) != path+" is no tar archive" {
		t.Errorf("got %v", err)
	}
	for _, magic := range []string{"\x1f\x8b\x08", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "BZh9"} {
		if err := os.WriteFile(path, []byte(magic+strings.Repeat(".", 1024)), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); fmt.Sprint(err) != path+" is compressed: decompress it first" {
			t.Errorf("%q: got %v", magic, err)
		}
	}
}

// Members with names as "tar cf x.tar -C layout ." and skopeo write them.
func TestArchiveNames(t *testing.T) {
	c, layers := packs(t)
	path, data := archived(t, c)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}, {Typeflag: tar.TypeDir, Name: "./"}, {Typeflag: tar.TypeDir, Name: "./"}} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		h.Name, h.Format = "./"+h.Name, tar.FormatPAX
		h.PAXRecords = map[string]string{"SCHILY.xattr.user.x": "y"}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	l := mustOpen(t, path)
	for _, layer := range layers {
		if err := l.Copy(t.Context(), io.Discard, contentOf(layer)); err != nil {
			t.Error(err)
		}
	}
}

// A layout has room for the most packs that packs.toml may have.
func TestMostPacks(t *testing.T) {
	var entries []Entry
	for n := range 10_000 {
		entries = append(entries, Entry{Name: fmt.Sprintf("%064d", n), Reference: "reg.example/" + strings.Repeat("x", 255), MediaType: manifestType, Content: verified.Content{Digest: ociref.DigestOf(nil), Size: MaxManifest}})
	}
	got, err := parseIndex(formatIndex(entries))
	if err != nil || len(got) != len(entries) || len(formatIndex(entries)) > MaxIndex {
		t.Errorf("%d entries, %v", len(got), err)
	}
}

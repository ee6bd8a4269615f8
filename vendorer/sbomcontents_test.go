package vendorer

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

// packOf returns a pack whose manifest names n components.
func packOf(t *testing.T, n int, version string) []byte {
	t.Helper()
	var components []map[string]string
	for i := range n {
		components = append(components, map[string]string{"id": fmt.Sprint("c", i), "version": version})
	}
	manifest, err := cbor.Marshal(map[string]any{"schema_version": "pack-v1", "pack_id": "p", "version": "1.0.0", "components": components})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	w, err := archive.Create("manifest.cbor")
	if err == nil {
		_, err = w.Write(manifest)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// programOf returns a program that has one pack under several names.
func programOf(t *testing.T, pack []byte, names ...string) string {
	t.Helper()
	digest := func(data []byte) ociref.Digest { return ociref.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(data))) }
	text := "\x7fELF"
	for _, name := range names {
		text += marker.Format(marker.Marker{
			Package: "example.com/app", Name: name, Ref: "file:" + name + ".gtpack", LayerDigest: digest(pack), Size: int64(len(pack)),
			Sample: marker.SampleOf(pack),
		})
	}
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, append([]byte(text), pack...), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// Packs of many names with the same bytes are bounded by what they have in the SBOM.
func TestSBOMLimit(t *testing.T) {
	pack := packOf(t, 10_000, "1.0.0")
	names := []string{"a", "b", "c", "d", "e"}
	output := filepath.Join(t.TempDir(), "bom.json")
	made, err := WriteSBOM(t.Context(), Options{}, SBOMOptions{Program: programOf(t, pack, names...), Output: output})
	if err != nil || len(made.Packs) != 5 || made.Packs[4].Components != 10_000 {
		t.Fatalf("%v", err)
	}
	written, err := os.ReadFile(output)
	if err != nil || !bytes.Equal(written, made.Text) {
		t.Fatalf("the file has other bytes: %v", err)
	}
	_, err = WriteSBOM(t.Context(), Options{}, SBOMOptions{Program: programOf(t, pack, append(names, "f")...), Output: output})
	if !errors.As(err, new(*SBOMLimitError)) || err.Error() != "the packs name more than 50000 components, or more than 8388608 bytes of them" {
		t.Errorf("got %v", err)
	}
	if now, err := os.ReadFile(output); err != nil || !bytes.Equal(now, written) {
		t.Errorf("the file was written: %v", err)
	}
	pack = packOf(t, 100, strings.Repeat("1", 1000))
	for i := range 80 {
		names = append(names, fmt.Sprint("n", i))
	}
	if _, err = WriteSBOM(t.Context(), Options{}, SBOMOptions{Program: programOf(t, pack, names...)}); !errors.As(err, new(*SBOMLimitError)) {
		t.Errorf("long versions: %v", err)
	}
}

// A countedSource counts reads.
type countedSource struct {
	*bytes.Reader
	reads int
}

func (c *countedSource) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	return c.Reader.ReadAt(p, off)
}

// The same bytes are read once, and each pack has what is in them.
func TestContentsAreReadOnce(t *testing.T) {
	var events []Event
	ordered := &orderedEvents{tell: func(e Event) { events = append(events, e) }}
	for _, test := range []struct {
		name   string
		data   []byte
		unread bool
	}{{"pack", packOf(t, 3, "1.0.0"), false}, {"other", []byte("other bytes"), true}} {
		var r contentsReader
		for i := range 3 {
			source := &countedSource{Reader: bytes.NewReader(test.data)}
			p := cyclonedx.Pack{Name: fmt.Sprint(test.name, i), LayerDigest: "sha256:aa"}
			if err := r.read(t.Context(), &p, source, ordered); err != nil {
				t.Fatal(err)
			}
			if p.Unread != test.unread || !test.unread && len(p.Contents) != 3 || source.reads > 0 != (i == 0) {
				t.Errorf("%s: unread: %t, %d components, %d reads", p.Name, p.Unread, len(p.Contents), source.reads)
			}
		}
	}
	ordered.flush()
	var about []string
	for _, e := range events {
		about = append(about, e.about())
	}
	if strings.Join(about, " ") != "other0 other1 other2" {
		t.Errorf("events about %v", about)
	}
}

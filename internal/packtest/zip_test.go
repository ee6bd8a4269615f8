package packtest

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/greenticai/packvendor/internal/ociref"
)

func TestZip(t *testing.T) {
	pack := Zip("helpdesk-bot", "0.1.0", 3000)
	files := unzip(t, pack)
	wantPaths := []string{"manifest.cbor", "assets/payload.bin", "pack.lock.cbor", "sbom.cbor"}
	if paths := pathsIn(t, pack); !reflect.DeepEqual(paths, wantPaths) {
		t.Errorf("files = %q, want %q", paths, wantPaths)
	}
	if n := len(files["assets/payload.bin"]); n != 3000 {
		t.Errorf("payload has %d bytes, want 3000", n)
	}
	const want = `{"schema_version": "pack-v1", "pack_id": 0, "version": "0.1.0", "kind": "application", "publisher": "Example", ` +
		`"symbols": {"component_ids": [], "node_ids": [], "capability_names": [], "pack_ids": ["helpdesk-bot"]}, ` +
		`"components": [], "flows": [], "dependencies": [], "capabilities": [], "signatures": {"signatures": []}, "extensions": {}}`
	if got, err := cbor.Diagnose(files["manifest.cbor"]); err != nil || got != want {
		t.Errorf("manifest.cbor = %s, %v\nwant %s", got, err, want)
	}
	if got, err := cbor.Diagnose(files["pack.lock.cbor"]); err != nil || got != `{"version": 1, "components": {}}` {
		t.Errorf("pack.lock.cbor = %s, %v", got, err)
	}
	checkSBOM(t, files, "sbom.cbor", cbor.Unmarshal)
}

func TestZipWithoutPayload(t *testing.T) {
	pack := Zip("a", "1.0.0", 0)
	if paths, want := pathsIn(t, pack), []string{"manifest.cbor", "pack.lock.cbor", "sbom.cbor"}; !reflect.DeepEqual(paths, want) {
		t.Errorf("files = %q, want %q", paths, want)
	}
	checkSBOM(t, unzip(t, pack), "sbom.cbor", cbor.Unmarshal)
}

// Other packages' golden files hold these bytes, so a release of Go or of the CBOR
// library must not change them.
func TestZipIsDeterministic(t *testing.T) {
	const want = "sha256:7c731e7b94e7f72e17efd6584155f13e26c234d4dbb1186d1d1b5db05bdc32a2"
	if got := ociref.DigestOf(Zip("helpdesk-bot", "0.1.0", 3000)); got != want {
		t.Errorf("digest = %s, want %s", got, want)
	}
	for _, other := range [][]byte{Zip("helpdesk-bot", "0.1.1", 3000), Zip("helpdesk-bo", "t0.1.0", 3000)} {
		if ociref.DigestOf(other) == want {
			t.Error("another pack has the same bytes")
		}
	}
}

// A real pack passes the same check as ours, so the check is right.
func TestRealPackMatchesItsSBOM(t *testing.T) {
	path := filepath.FromSlash("../../../shared/packs/msg-event-app.gtpack")
	pack, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	checkSBOM(t, unzip(t, pack), "sbom.cbor", cbor.Unmarshal)
}

// checkSBOM demands that the file name lists all other files except signatures.
func checkSBOM(t *testing.T, files map[string][]byte, name string, unmarshal func([]byte, any) error) {
	t.Helper()
	var list sbom
	if err := unmarshal(files[name], &list); err != nil {
		t.Fatal(err)
	}
	want := len(files) - 1
	for path := range files {
		if strings.HasPrefix(path, "signatures/") {
			want--
		}
	}
	if list.Format != "greentic-sbom-v1" || len(list.Files) != want {
		t.Errorf("%s has format %q and %d files, want greentic-sbom-v1 and %d", name, list.Format, len(list.Files), want)
	}
	for _, f := range list.Files {
		data, ok := files[f.Path]
		if got := hashOf(data); !ok || got != f.Hash || len(data) != f.Size {
			t.Errorf("%s: found %t, %d bytes, hash %s; sbom says %d bytes, hash %s", f.Path, ok, len(data), got, f.Size, f.Hash)
		}
	}
}

func unzip(t *testing.T, pack []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	archive := reader(t, pack)
	for _, path := range pathsIn(t, pack) {
		data, err := fs.ReadFile(archive, path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = data
	}
	return files
}

func pathsIn(t *testing.T, pack []byte) (paths []string) {
	t.Helper()
	for _, f := range reader(t, pack).File {
		if f.Method != zip.Store || !f.Modified.Equal(time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: method %d, modified %s", f.Name, f.Method, f.Modified)
		}
		if r, err := f.Open(); err != nil {
			t.Error(err)
		} else if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		paths = append(paths, f.Name)
	}
	return paths
}

func reader(t *testing.T, pack []byte) *zip.Reader {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

package packtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
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
	checkSBOM(t, pack)
}

func TestZipWithoutPayload(t *testing.T) {
	pack := Zip("a", "1.0.0", 0)
	if paths, want := pathsIn(t, pack), []string{"manifest.cbor", "pack.lock.cbor", "sbom.cbor"}; !reflect.DeepEqual(paths, want) {
		t.Errorf("files = %q, want %q", paths, want)
	}
	checkSBOM(t, pack)
}

// The bytes stand in other packages' golden files, so they may not change
// with a release of Go or of the CBOR library.
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

// TestBlake3 uses the official vectors: byte i of the input is i mod 251. See
// https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json.
func TestBlake3(t *testing.T) {
	for n, want := range map[int]string{
		0:      "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
		1:      "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
		1024:   "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
		1025:   "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
		2048:   "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
		2049:   "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
		3072:   "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2",
		31744:  "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
		102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
	} {
		input := make([]byte, n)
		for i := range input {
			input[i] = byte(i % 251)
		}
		if got := fmt.Sprintf("%x", blake3(input)); got != want {
			t.Errorf("blake3 of %d bytes = %s, want %s", n, got, want)
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
	checkSBOM(t, pack)
}

func checkSBOM(t *testing.T, pack []byte) {
	t.Helper()
	files := unzip(t, pack)
	var list sbom
	if err := cbor.Unmarshal(files["sbom.cbor"], &list); err != nil {
		t.Fatal(err)
	}
	if list.Format != "greentic-sbom-v1" || len(list.Files) != len(files)-1 {
		t.Errorf("sbom has format %q and %d files, want greentic-sbom-v1 and %d", list.Format, len(list.Files), len(files)-1)
	}
	for _, f := range list.Files {
		data, ok := files[f.Path]
		if got := fmt.Sprintf("%x", blake3(data)); !ok || got != f.Hash || len(data) != f.Size {
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

package packtest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/greenticai/packvendor/internal/ociref"
)

func TestLegacyZip(t *testing.T) {
	pack := LegacyZip("noop", "0.1.0")
	wantPaths := []string{
		"components/noop@0.1.0/component.wasm", "flows/main/flow.json", "flows/main/flow.ygtc", "manifest.cbor", "manifest.json",
		"provenance.json", "sbom.json", "signatures/chain.pem", "signatures/pack.sig",
	}
	if paths := pathsIn(t, pack); !reflect.DeepEqual(paths, wantPaths) {
		t.Errorf("files = %q, want %q", paths, wantPaths)
	}
	files := unzip(t, pack)
	checkSBOM(t, files, "sbom.json", json.Unmarshal)
	const want = `55799({"meta": {"packVersion": 1, "pack_id": "noop", "version": "0.1.0", "name": "Pack noop", "authors": ["Example"], ` +
		`"vendor": null, "imports": [], "entry_flows": ["main"], "created_at_utc": "2024-01-01T00:00:00Z"}, ` +
		`"flows": [{"id": "main", "kind": "flow/v1", "entry": "start", "file_yaml": "flows/main/flow.ygtc", "file_json": "flows/main/flow.json"}], ` +
		`"components": [{"name": "noop", "version": "0.1.0", "file_wasm": "components/noop@0.1.0/component.wasm", ` +
		`"hash_blake3": "12129c111a9dc4e34cda8a8ecd9478cfff57ece1f864bb073c777cc56ce53d43"}]})`
	if got, err := cbor.Diagnose(files["manifest.cbor"]); err != nil || got != want {
		t.Errorf("manifest.cbor = %s, %v\nwant %s", got, err, want)
	}
	var inCBOR, inJSON legacyManifest
	if err := cbor.Unmarshal(files["manifest.cbor"], &inCBOR); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal(files["manifest.json"], &inJSON); err != nil || !reflect.DeepEqual(inJSON, inCBOR) {
		t.Errorf("manifest.json = %+v, %v\nmanifest.cbor = %+v", inJSON, err, inCBOR)
	}
}

func TestLegacyZipIsDeterministic(t *testing.T) {
	const want = "sha256:8e227e45a616d04fc07c8b1076b7e62a417af0596afbdd8928577098bc2fdd82"
	if got := ociref.DigestOf(LegacyZip("noop", "0.1.0")); got != want {
		t.Errorf("digest = %s, want %s", got, want)
	}
	if bytes.Equal(LegacyZip("noop", "0.1.1"), LegacyZip("noop", "0.1.0")) {
		t.Error("another pack has the same bytes")
	}
}

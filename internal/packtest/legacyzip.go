package packtest

import (
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// selfDescribed is the CBOR tag that says "this is CBOR":
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.6.
const selfDescribed = 55799

// LegacyZip returns a small pack in the format that came before pack-v1: a
// stored zip with manifest.cbor and the same as manifest.json, a component, a
// flow, an sbom.json that matches all of them, and a signature of nobody. The
// same arguments always give the same bytes.
func LegacyZip(id, version string) []byte {
	wasm := noise(id, version, 100)
	component := fmt.Sprintf("components/%s@%s/component.wasm", id, version)
	manifest := newLegacyManifest(id, version, packFile{path: component, data: wasm})
	listed := []packFile{
		{component, "application/wasm", wasm},
		{"flows/main/flow.json", "application/json", []byte(`{"entry":"start","id":"main","kind":"flow/v1","nodes":[]}`)},
		{"flows/main/flow.ygtc", "application/yaml", []byte("id: main\nentry: start\n")},
		{manifestFile, "application/cbor", encode(cbor.Tag{Number: selfDescribed, Content: manifest})},
		{"manifest.json", "application/json", encodeJSON(manifest)},
		{"provenance.json", "application/json", []byte(`{"builder":"packtest"}`)},
	}
	return archive(append(listed,
		packFile{path: "sbom.json", data: encodeJSON(newSBOM(listed))},
		packFile{path: "signatures/chain.pem", data: []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")},
		packFile{path: "signatures/pack.sig", data: []byte(`{"alg":"ed25519","sig":"","digest":""}`)},
	))
}

// legacyManifest is manifest.cbor, and manifest.json: the CBOR library takes
// the names in the JSON tags.
type legacyManifest struct {
	Meta       legacyMeta        `json:"meta"`
	Flows      []legacyFlow      `json:"flows"`
	Components []legacyComponent `json:"components"`
}

type legacyMeta struct {
	PackVersion int            `json:"packVersion"`
	PackID      string         `json:"pack_id"`
	Version     string         `json:"version"`
	Name        string         `json:"name"`
	Authors     []string       `json:"authors"`
	Vendor      *string        `json:"vendor"`
	Imports     []legacyImport `json:"imports"`
	EntryFlows  []string       `json:"entry_flows"`
	CreatedAt   string         `json:"created_at_utc"`
}

type legacyImport struct {
	PackID     string `json:"pack_id"`
	VersionReq string `json:"version_req"`
}

type legacyFlow struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Entry    string `json:"entry"`
	FileYAML string `json:"file_yaml"`
	FileJSON string `json:"file_json"`
}

type legacyComponent struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	FileWasm string `json:"file_wasm"`
	Hash     string `json:"hash_blake3"`
}

func newLegacyManifest(id, version string, wasm packFile) legacyManifest {
	return legacyManifest{
		Meta: legacyMeta{
			PackVersion: 1,
			PackID:      id,
			Version:     version,
			Name:        "Pack " + id,
			Authors:     []string{"Example"},
			Imports:     []legacyImport{},
			EntryFlows:  []string{"main"},
			CreatedAt:   "2024-01-01T00:00:00Z",
		},
		Flows:      []legacyFlow{{"main", "flow/v1", "start", "flows/main/flow.ygtc", "flows/main/flow.json"}},
		Components: []legacyComponent{{id, version, wasm.path, hashOf(wasm.data)}},
	}
}

func encodeJSON(v any) []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("packtest: cannot encode %T: %v", v, err)) // only strings, numbers and lists go in
	}
	return b
}

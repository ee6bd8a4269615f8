package packtest

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/greenticai/packvendor/internal/blake3"
)

// Names of the files in a pack.
const (
	manifestFile = "manifest.cbor"
	payloadFile  = "assets/payload.bin"
	lockFile     = "pack.lock.cbor"
	sbomFile     = "sbom.cbor"
)

// Zip returns a small valid pack in the pack-v1 format: a stored zip with
// manifest.cbor, pack.lock.cbor and an sbom.cbor that matches the other files. Payload
// is the size in bytes of one more file with pseudo-random content derived from id and
// version; 0 omits that file. Equal arguments give equal bytes.
//
// It panics if payload is negative.
func Zip(id, version string, payload int) []byte {
	files := []packFile{{manifestFile, "application/cbor", encode(newPackManifest(id, version))}}
	if payload != 0 {
		files = append(files, packFile{payloadFile, "application/octet-stream", noise(id, version, payload)})
	}
	files = append(files, packFile{lockFile, "application/octet-stream", encode(packLock{Version: 1, Components: map[string]struct{}{}})})
	files = append(files, packFile{sbomFile, "", encode(newSBOM(files))})
	return archive(files)
}

type packFile struct {
	path      string
	mediaType string
	data      []byte
}

// packManifest is manifest.cbor. Identifiers are indexes into its symbols.
type packManifest struct {
	SchemaVersion string              `cbor:"schema_version"`
	PackID        int                 `cbor:"pack_id"`
	Version       string              `cbor:"version"`
	Kind          string              `cbor:"kind"`
	Publisher     string              `cbor:"publisher"`
	Symbols       packSymbols         `cbor:"symbols"`
	Components    []struct{}          `cbor:"components"`
	Flows         []struct{}          `cbor:"flows"`
	Dependencies  []struct{}          `cbor:"dependencies"`
	Capabilities  []struct{}          `cbor:"capabilities"`
	Signatures    packSignatures      `cbor:"signatures"`
	Extensions    map[string]struct{} `cbor:"extensions"`
}

type packSymbols struct {
	ComponentIDs    []string `cbor:"component_ids"`
	NodeIDs         []string `cbor:"node_ids"`
	CapabilityNames []string `cbor:"capability_names"`
	PackIDs         []string `cbor:"pack_ids"`
}

type packSignatures struct {
	Signatures []struct{} `cbor:"signatures"`
}

type packLock struct {
	Version    int                 `cbor:"version"`
	Components map[string]struct{} `cbor:"components"`
}

// sbom is sbom.cbor, and sbom.json in the legacy format: the CBOR library reads the
// names in the JSON tags.
type sbom struct {
	Files  []sbomEntry `json:"files"`
	Format string      `json:"format"`
}

type sbomEntry struct {
	Path      string `json:"path"`
	Size      int    `json:"size"`
	MediaType string `json:"media_type"`
	Hash      string `json:"hash_blake3"`
}

// newPackManifest writes empty arrays instead of nulls, like the pack builder.
func newPackManifest(id, version string) packManifest {
	return packManifest{
		SchemaVersion: "pack-v1",
		PackID:        0,
		Version:       version,
		Kind:          "application",
		Publisher:     "Example",
		Symbols:       packSymbols{[]string{}, []string{}, []string{}, []string{id}},
		Components:    []struct{}{},
		Flows:         []struct{}{},
		Dependencies:  []struct{}{},
		Capabilities:  []struct{}{},
		Signatures:    packSignatures{[]struct{}{}},
		Extensions:    map[string]struct{}{},
	}
}

// newSBOM lists files by path, like the pack builder.
func newSBOM(files []packFile) sbom {
	s := sbom{Format: "greentic-sbom-v1"}
	for _, f := range files {
		s.Files = append(s.Files, sbomEntry{f.path, len(f.data), f.mediaType, hashOf(f.data)})
	}
	slices.SortFunc(s.Files, func(a, b sbomEntry) int { return strings.Compare(a.Path, b.Path) })
	return s
}

func hashOf(b []byte) string { return fmt.Sprintf("%x", blake3.Sum256(b)) }

// noise is the same on every platform and in every Go release: ChaCha8 is a published
// generator, https://c2sp.org/chacha8rand.
func noise(id, version string, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8(sha256.Sum256([]byte(id + "\x00" + version))).Read(b)
	return b
}

func encode(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("packtest: cannot encode %T: %v", v, err)) // strings, numbers and lists always encode
	}
	return b
}

// archive writes each file raw with its checksum in the header, like the pack builder,
// so that no data descriptor follows.
func archive(files []packFile) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{
			Name:               f.path,
			Method:             zip.Store,
			CRC32:              crc32.ChecksumIEEE(f.data),
			CompressedSize64:   uint64(len(f.data)),
			UncompressedSize64: uint64(len(f.data)),
		}
		//lint:ignore SA1019 CreateRaw does not look at Modified
		h.ModifiedDate = 1<<5 | 1 // 1 January 1980, the zip format's first day
		w, err := z.CreateRaw(h)
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			panic("packtest: " + err.Error()) // a bytes.Buffer never fails
		}
	}
	if err := z.Close(); err != nil {
		panic("packtest: " + err.Error())
	}
	return b.Bytes()
}

// selfDescribed is the CBOR tag for "this is CBOR":
// https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.6.
const selfDescribed = 55799

// LegacyZip returns a small pack in the format before pack-v1: a stored zip with
// manifest.cbor and its copy manifest.json, a component, a flow, a matching sbom.json,
// and a dummy signature. Equal arguments give equal bytes.
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

// legacyManifest is manifest.cbor, and manifest.json: the CBOR library reads the names
// in the JSON tags.
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
		panic(fmt.Sprintf("packtest: cannot encode %T: %v", v, err)) // strings, numbers and lists always encode
	}
	return b
}

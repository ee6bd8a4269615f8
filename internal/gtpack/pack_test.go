package gtpack

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A file is one that a test's archive has.
type file struct {
	name string
	data []byte
}

// A document is the content of a CBOR or JSON file.
type document = map[string]any

func cborFile(t testing.TB, name string, v any) file {
	t.Helper()
	data, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return file{name, data}
}

func jsonFile(t testing.TB, name string, v any) file {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return file{name, data}
}

// v1 is a pack-v1 manifest with the given changes.
func v1(t testing.TB, changes document) file {
	t.Helper()
	m := document{
		"schema_version": "pack-v1",
		"pack_id":        0,
		"version":        "1.0.0",
		"symbols":        document{"pack_ids": []string{"p", "q", "r"}, "component_ids": []string{"c", "d"}},
	}
	for key, value := range changes {
		m[key] = value
	}
	return cborFile(t, "manifest.cbor", m)
}

func archiveOf(t testing.TB, method uint16, files ...file) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: method})
		if err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil && len(f.data) > 0 {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func stored(t testing.TB, files ...file) *bytes.Reader {
	t.Helper()
	return archiveOf(t, zip.Store, files...)
}

func checkPack(t *testing.T, src Source, want *Pack) {
	t.Helper()
	got, err := Read(t.Context(), src)
	if err != nil {
		t.Error(err)
	} else if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReadV1(t *testing.T) {
	checkPack(t, bytes.NewReader(packtest.Zip("helpdesk-bot", "0.1.0", 3000)), &Pack{
		Format: FormatV1, ID: "helpdesk-bot", Version: "0.1.0", Kind: "application", Publisher: "Example",
		SBOM:  SBOM{File: "sbom.cbor", Format: "greentic-sbom-v1", Files: 3, Matching: 3},
		Files: 4, Unpacked: 3717,
	})
}

func TestReadLegacy(t *testing.T) {
	checkPack(t, bytes.NewReader(packtest.LegacyZip("noop", "0.2.0")), &Pack{
		Format: FormatLegacy, ID: "noop", Version: "0.2.0", Name: "Pack noop", Publisher: "Example",
		Components: []Component{{ID: "noop", Version: "0.2.0", Path: "components/noop@0.2.0/component.wasm", Size: 100}},
		Flows:      []string{"main"},
		Signatures: []string{"signatures/pack.sig"},
		SBOM:       SBOM{File: "sbom.json", Format: "greentic-sbom-v1", Files: 6, Matching: 6},
		Files:      9, Unpacked: 2637,
	})
}

// All that manifests of the three forms can say.
func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		files []file
		want  Pack
	}{
		"a whole pack-v1": {
			[]file{v1(t, document{
				"pack_id":   1,
				"name":      "Q",
				"kind":      "provider",
				"publisher": "P\n",
				"flows":     []document{{"id": "main", "kind": "event"}, {"id": "back"}},
				"dependencies": []document{
					{"alias": "x", "pack_id": 2, "version_req": "^1"},
					{"alias": "y", "pack_id": 0, "version_req": "*"},
				},
				"signatures": document{"signatures": []document{{"key_id": "default"}}},
				"extensions": document{"other": document{"inline": []int{1}}},
			}), {"signatures/pack.sig", nil}, {"signatures/a.sig", nil}, {"signatures/", nil}, {"signatures/chain.pem", nil}, {"signatures.txt", nil}},
			Pack{
				Format: FormatV1, ID: "q", Version: "1.0.0", Name: "Q", Kind: "provider", Publisher: "P\n",
				Flows:        []string{"back", "main"},
				Dependencies: []Dependency{{"p", "*"}, {"r", "^1"}},
				Signatures:   []string{"manifest.cbor", "signatures/a.sig", "signatures/pack.sig"},
			},
		},
		"a pack-v1 that has no symbols": {
			[]file{cborFile(t, "manifest.cbor", document{
				"schema_version": "pack-v1", "pack_id": "old", "components": []document{{"id": "c", "version": "1.0.0"}},
				"extensions": nil, "flows": nil, "name": nil,
			})},
			Pack{Format: FormatV1, ID: "old", Components: []Component{{ID: "c", Version: "1.0.0"}}},
		},
		"a newer schema": {
			[]file{v1(t, document{"schema_version": "pack-v2"})},
			Pack{Format: "pack-v2", ID: "p", Version: "1.0.0"},
		},
		"a manifest that says next to nothing": {
			[]file{cborFile(t, "manifest.cbor", document{"schema_version": "pack-v1"})},
			Pack{Format: FormatV1},
		},
		"legacy": {
			[]file{cborFile(t, "manifest.cbor", cbor.Tag{Number: 55799, Content: document{
				"meta": document{
					"pack_id": "p", "version": "2.0.0", "name": "P", "kind": "scanner", "vendor": "V", "authors": []string{"A"},
					"imports": []document{{"pack_id": "q", "version_req": "^2"}},
				},
				"flows": []document{{"id": "main"}},
				"components": []document{
					{"name": "c", "version": "0.2.0", "file_wasm": "c2.wasm"},
					{"name": "c", "version": "0.1.0", "file_wasm": "c1.wasm"},
					{"name": "c", "version": "0.3.0", "file_wasm": "c3.wasm"},
				},
			}}), {"c1.wasm", []byte("1")}, {"c2.wasm", []byte("22")}},
			Pack{
				Format: FormatLegacy, ID: "p", Version: "2.0.0", Name: "P", Kind: "scanner", Publisher: "V",
				Components: []Component{{"c", "0.1.0", "c1.wasm", 1}, {"c", "0.2.0", "c2.wasm", 2}, {ID: "c", Version: "0.3.0"}},
				Flows:      []string{"main"}, Dependencies: []Dependency{{"q", "^2"}},
			},
		},
		"legacy, by its authors": {
			[]file{cborFile(t, "manifest.cbor", document{"meta": document{"pack_id": "p", "vendor": nil, "authors": []string{"A", "B"}}})},
			Pack{Format: FormatLegacy, ID: "p", Publisher: "A, B"},
		},
		"of the designer": {
			[]file{
				jsonFile(t, "manifest.json", document{"manifest_id": "triage", "display_name": "Triage", "manifest": document{"agents": document{}}}),
				jsonFile(t, "metadata.json", document{"pack_id": "acme.triage", "kind": "DwApplication", "created_at": "2026-08-20T00:00:00Z"}),
			},
			Pack{Format: FormatDesigner, ID: "acme.triage", Name: "Triage", Kind: "DwApplication"},
		},
		"of the designer, without metadata": {
			[]file{jsonFile(t, "manifest.json", document{"manifest_id": "triage", "n": []any{1, -2.5, true, nil, "x", 1e300}})},
			Pack{Format: FormatDesigner, ID: "triage"},
		},
		"with both manifests": {
			[]file{jsonFile(t, "manifest.json", document{"manifest_id": "other"}), v1(t, nil)},
			Pack{Format: FormatV1, ID: "p", Version: "1.0.0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range test.files {
				if !strings.HasSuffix(f.name, "/") {
					test.want.Files++
					test.want.Unpacked += int64(len(f.data))
				}
			}
			checkPack(t, stored(t, test.files...), &test.want)
			checkPack(t, archiveOf(t, zip.Deflate, test.files...), &test.want)
		})
	}
}

func TestReadErrors(t *testing.T) {
	pack := packtest.Zip("p", "1.0.0", 100)
	deep := bytes.Repeat([]byte{0x81}, MaxDepth+2)
	large := map[int]bool{}
	for i := range MaxElements + 1 {
		large[i] = true
	}
	for name, test := range map[string]struct {
		src  Source
		want string
	}{
		"no bytes":            {strings.NewReader(""), "not a pack: it is no zip archive"},
		"no zip":              {strings.NewReader("# README\n"), "not a pack: it is no zip archive"},
		"half a zip":          {bytes.NewReader(pack[:len(pack)/2]), "the archive cannot be read: zip: not a valid zip file"},
		"no files":            {stored(t), "not a pack: it has no manifest.cbor"},
		"no manifest":         {stored(t, file{"dist/manifest.cbor", nil}, file{"assets/manifest.json", nil}), "not a pack: it has no manifest.cbor"},
		"another manifest":    {stored(t, file{"manifest.json", []byte(`{"name":"x"}`)}), "not a pack: it has no manifest.cbor, and its manifest.json has no manifest_id"},
		"manifest.cbor/":      {stored(t, file{"manifest.cbor/", nil}), "not a pack: it has no manifest.cbor"},
		"empty":               {stored(t, file{"manifest.cbor", nil}), "manifest.cbor cannot be read: it is empty"},
		"no CBOR":             {stored(t, file{"manifest.cbor", []byte("\xff")}), `manifest.cbor cannot be read: unexpected "break" code`},
		"half of it":          {stored(t, file{"manifest.cbor", []byte("\xa2\x61a\x01")}), "manifest.cbor cannot be read: unexpected EOF"},
		"more than one value": {stored(t, file{"manifest.cbor", []byte("\xa0\xa0")}), "manifest.cbor cannot be read: more than one value"},
		"no map":              {stored(t, cborFile(t, "manifest.cbor", "x")), `manifest.cbor cannot be read: wrong type: UTF-8 text string`},
		"neither form":        {stored(t, cborFile(t, "manifest.cbor", document{"id": "x"})), "manifest.cbor cannot be read: it has neither schema_version nor meta"},
		"endless symbol": {
			stored(t, v1(t, document{"symbols": document{"pack_ids": []string{strings.Repeat("a", maxSymbol+1)}}, "pack_id": 0})),
			"manifest.cbor cannot be read: pack_id: symbol 0 has more than 1024 bytes",
		},
		"no such symbol":       {stored(t, v1(t, document{"pack_id": 3})), "manifest.cbor cannot be read: pack_id: symbol 3 of 3"},
		"no such component":    {stored(t, v1(t, document{"components": []document{{"id": uint64(1) << 63}}})), "manifest.cbor cannot be read: components: symbol 9223372036854775808 of 2"},
		"no such pack":         {stored(t, v1(t, document{"dependencies": []document{{"pack_id": 9}}})), "manifest.cbor cannot be read: dependencies: symbol 9 of 3"},
		"an odd symbol":        {stored(t, v1(t, document{"pack_id": -1})), "manifest.cbor cannot be read: an identifier is neither an index nor a text"},
		"a version of type":    {stored(t, v1(t, document{"version": 1})), `manifest.cbor cannot be read: wrong type in "version": positive integer`},
		"a table of type":      {stored(t, v1(t, document{"symbols": document{"pack_ids": []int{1}}})), `manifest.cbor cannot be read: wrong type in "symbols": positive integer`},
		"a legacy name":        {stored(t, cborFile(t, "manifest.cbor", document{"meta": document{"name": []int{}}})), `manifest.cbor cannot be read: wrong type in "meta": array`},
		"a key twice":          {stored(t, file{"manifest.cbor", []byte("\xa2\x67version\x611\x67version\x612")}), `manifest.cbor cannot be read: key "version" twice in one map`},
		"an odd key twice":     {stored(t, file{"manifest.cbor", []byte("\xa2\x64\xe2\x80\xae\n\x01\x64\xe2\x80\xae\n\x02")}), `manifest.cbor cannot be read: key "\u202e\n" twice in one map`},
		"deep":                 {stored(t, file{"manifest.cbor", deep}), "manifest.cbor cannot be read: exceeded max nested level 256"},
		"large":                {stored(t, cborFile(t, "manifest.cbor", large)), "manifest.cbor cannot be read: exceeded max number of key-value pairs 100000 for CBOR map"},
		"no UTF-8":             {stored(t, file{"manifest.cbor", []byte("\xa1\x6eschema_version\x61\xff")}), "manifest.cbor cannot be read: invalid UTF-8 string"},
		"a file twice":         {stored(t, v1(t, nil), file{"a\u202e\x1b", nil}, file{"a\u202e\x1b", nil}), `"a\u202e\x1b" cannot be read: two files have this name`},
		"a long name twice":    {stored(t, file{strings.Repeat("a", 500), nil}, file{strings.Repeat("a", 500), nil}), `"` + strings.Repeat("a", 120) + `"... cannot be read: two files have this name`},
		"JSON of another type": {stored(t, jsonFile(t, "manifest.json", document{"manifest_id": 1})), `manifest.json cannot be read: wrong type in "manifest_id": positive integer`},
		"a JSON key twice":     {stored(t, file{"manifest.json", []byte(`{"manifest_id":"a","manifest_id":"b"}`)}), `manifest.json cannot be read: key "manifest_id" twice in one map`},
		"two JSON values":      {stored(t, file{"manifest.json", []byte(`{} {}`)}), "manifest.json cannot be read: more than one value"},
		"half of JSON":         {stored(t, file{"manifest.json", []byte(`{"manifest_id":`)}), "manifest.json cannot be read: not JSON: unexpected EOF"},
		"no JSON":              {stored(t, file{"manifest.json", []byte("\u00e9")}), `manifest.json cannot be read: not JSON: invalid character '\u00c3' looking for beginning of value`},
		"empty JSON":           {stored(t, file{"manifest.json", []byte(" \n")}), "manifest.json cannot be read: it is empty"},
		"deep JSON":            {stored(t, file{"manifest.json", bytes.Repeat([]byte("["), 1000)}), "manifest.json cannot be read: nested deeper than 256"},
		"a JSON number":        {stored(t, file{"manifest.json", []byte(`1e999`)}), `manifest.json cannot be read: not a number of 64 bits: "1e999"`},
		"metadata of type":     {stored(t, jsonFile(t, "manifest.json", document{"manifest_id": "a"}), file{"metadata.json", []byte("[]")}), "metadata.json cannot be read: wrong type: array"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(t.Context(), test.src)
			if err == nil || err.Error() != test.want {
				t.Fatalf("got  %v\nwant %s", err, test.want)
			}
			var notPack *NotPackError
			var malformed *MalformedError
			if is := errors.As(err, &notPack); is != strings.HasPrefix(test.want, "not a pack: ") || is == errors.As(err, &malformed) {
				t.Errorf("type %T", err)
			}
		})
	}
}

// Keys are compared exactly, so that no two programs read one manifest in two
// ways.
func TestReadIsCaseSensitive(t *testing.T) {
	checkPack(t, stored(t, v1(t, document{"Name": "x", "KIND": "y"})), &Pack{Format: FormatV1, ID: "p", Version: "1.0.0", Files: 1, Unpacked: 105})
}

func TestReadRealPacks(t *testing.T) {
	const card = "ai.greentic.component-adaptive-card"
	wasm := func(version string) []Component {
		return []Component{{ID: card, Version: version, Path: "components/" + card + ".wasm", Size: 5701203}}
	}
	repacked := []string{"manifest.cbor", "pack.lock.cbor"}
	for name, want := range map[string]*Pack{
		"cloud-deploy-demo-app": {
			Format: FormatV1, ID: "quickstart.pack", Version: "0.1.0", Kind: "application", Publisher: "Greentic",
			Components: wasm("0.2.0"), Flows: []string{"main"},
			SBOM:  SBOM{File: "sbom.cbor", Format: "greentic-sbom-v1", Files: 8, Matching: 6, Mismatched: repacked},
			Files: 9, Unpacked: 5709549,
		},
		"hr-onboarding": {
			Format: FormatV1, ID: "greentic.hr-onboarding.demo", Version: "0.1.0", Kind: "application", Publisher: "Greentic",
			Components: wasm("0.1.2"), Flows: []string{"main"},
			SBOM:  SBOM{File: "sbom.cbor", Format: "greentic-sbom-v1", Files: 28, Matching: 28},
			Files: 29, Unpacked: 5843122,
		},
		"msg-event-app": {
			Format: FormatV1, ID: "helpdesk-bot", Version: "0.1.0", Kind: "application", Publisher: "Demo",
			Components: []Component{{ID: "component-events2msg", Version: "0.0.0"}, {ID: "component-msg2events", Version: "0.0.0"}},
			Flows:      []string{"on_event", "on_message"},
			SBOM:       SBOM{File: "sbom.cbor", Format: "greentic-sbom-v1", Files: 8, Matching: 8},
			Files:      9, Unpacked: 15301,
		},
		"noop-validator": {
			Format: FormatLegacy, ID: "greentic.validators.noop", Version: "0.1.0", Name: "Noop Validator Pack", Publisher: "Greentic",
			Components: []Component{{ID: "noop-validator", Version: "0.1.0", Path: "components/noop-validator@0.1.0/component.wasm", Size: 72098}},
			Flows:      []string{"main"}, Signatures: []string{"signatures/pack.sig"},
			SBOM:  SBOM{File: "sbom.json", Format: "greentic-sbom-v1", Files: 6, Matching: 6},
			Files: 9, Unpacked: 76174,
		},
		"supply-chain": {
			Format: FormatV1, ID: "greentic.supply-chain.demo", Version: "0.1.0", Kind: "application", Publisher: "Greentic",
			Components: wasm("0.2.0"), Flows: []string{"main", "on_message", "order_tracking_flow", "reorder_flow", "stock_check_flow"},
			SBOM:  SBOM{File: "sbom.cbor", Format: "greentic-sbom-v1", Files: 28, Matching: 26, Mismatched: repacked},
			Files: 29, Unpacked: 5785320,
		},
	} {
		t.Run(name, func(t *testing.T) { checkPack(t, bytes.NewReader(realPack(t, name)), want) })
	}
}

// realPack returns a pack that its publisher built.
func realPack(t testing.TB, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "packs", name+".gtpack")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A pack is read until the context ends.
func TestReadCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, bytes.NewReader(packtest.Zip("p", "1.0.0", 0))); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

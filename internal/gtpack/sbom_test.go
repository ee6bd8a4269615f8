package gtpack

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/blake3"
)

// bill is a bill of materials that lists files as they are.
func bill(files ...file) document {
	list := []any{}
	for _, f := range files {
		list = append(list, document{"path": f.name, "size": len(f.data), "media_type": "x/y", "hash_blake3": fmt.Sprintf("%x", blake3.Sum256(f.data))})
	}
	return document{"format": "greentic-sbom-v1", "files": list}
}

func TestSBOM(t *testing.T) {
	manifest := v1(t, nil)
	a, b := file{"assets/a", []byte("a")}, file{"assets/b\n", []byte("bb")}
	empty := file{"empty", nil}
	cbor := func(d document) file { return cborFile(t, "sbom.cbor", d) }
	upper := bill(manifest, a)
	for _, f := range upper["files"].([]any) {
		f.(document)["hash_blake3"] = strings.ToUpper(f.(document)["hash_blake3"].(string))
	}
	for name, test := range map[string]struct {
		files []file
		want  SBOM
		ok    bool
	}{
		"none":  {[]file{a}, SBOM{}, false},
		"right": {[]file{a, b, empty, cbor(bill(manifest, a, b, empty))}, SBOM{File: "sbom.cbor", Files: 4, Matching: 4}, true},
		"right, in JSON": {
			[]file{a, b, jsonFile(t, "sbom.json", bill(manifest, a, b))},
			SBOM{File: "sbom.json", Files: 3, Matching: 3}, true,
		},
		"right, in capitals": {[]file{a, cbor(upper)}, SBOM{File: "sbom.cbor", Files: 2, Matching: 2}, true},
		"both": {
			[]file{{"sbom.json", []byte("x")}, a, cbor(bill(manifest, a))},
			SBOM{File: "sbom.cbor", Files: 2, Matching: 2}, true,
		},
		"signed later": {
			[]file{cbor(bill(manifest)), {"signatures/pack.sig", nil}, {"signatures/chain.pem", nil}},
			SBOM{File: "sbom.cbor", Files: 1, Matching: 1}, true,
		},
		"hidden among signatures": {
			[]file{cbor(bill(manifest)), {"signatures/a.wasm", nil}},
			SBOM{File: "sbom.cbor", Files: 1, Matching: 1, Unlisted: []string{"signatures/a.wasm"}}, false,
		},
		"of another pack": {
			[]file{cbor(bill(b, a, file{"x", nil}, file{"c", nil})), b, {"assets/a", []byte("A")}, {"u", nil}},
			SBOM{
				File: "sbom.cbor", Files: 4, Matching: 1,
				Missing: []string{"c", "x"}, Mismatched: []string{"assets/a"}, Unlisted: []string{"manifest.cbor", "u"},
			}, false,
		},
		"of another size": {
			[]file{a, cbor(document{"format": "greentic-sbom-v1", "files": []document{
				{"path": "manifest.cbor"},
				{"path": "assets/a", "size": 2, "hash_blake3": fmt.Sprintf("%x", blake3.Sum256(a.data))},
			}})},
			SBOM{File: "sbom.cbor", Files: 2, Mismatched: []string{"assets/a", "manifest.cbor"}}, false,
		},
		"twice": {
			[]file{a, cbor(bill(manifest, a, a, file{"assets/a", []byte("A")}, file{"c", nil}, file{"c", nil}))},
			SBOM{File: "sbom.cbor", Files: 6, Matching: 3, Missing: []string{"c"}, Mismatched: []string{"assets/a"}}, false,
		},
		"of itself":         {[]file{cbor(bill(manifest, file{"sbom.cbor", nil}))}, SBOM{File: "sbom.cbor", Files: 2, Matching: 1, Mismatched: []string{"sbom.cbor"}}, false},
		"of another format": {[]file{cbor(document{"format": "v2\n", "files": nil})}, SBOM{File: "sbom.cbor", Format: "v2\n", Unlisted: []string{"manifest.cbor"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if test.want.Format == "" && test.want.File != "" {
				test.want.Format = "greentic-sbom-v1"
			}
			p, err := Read(t.Context(), stored(t, append(test.files, manifest)...))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(p.SBOM, test.want) {
				t.Errorf("got  %+v\nwant %+v", p.SBOM, test.want)
			}
			if p.SBOM.OK() != test.ok || p.SBOM.Present() != (name != "none") {
				t.Errorf("OK %v, present %v", p.SBOM.OK(), p.SBOM.Present())
			}
		})
	}
}

// A bill of materials that cannot be understood is a finding.
func TestUnreadableSBOM(t *testing.T) {
	for _, test := range []struct {
		sbom file
		want string
	}{
		{file{"sbom.cbor", nil}, "sbom.cbor cannot be read: it is empty"},
		{cborFile(t, "sbom.cbor", document{"files": []document{{"size": -1}}}), `sbom.cbor cannot be read: wrong type in "files": negative integer`},
		{file{"sbom.json", []byte(`{"files":[{"path":"a","path":"b"}]}`)}, `sbom.json cannot be read: key "path" twice in one map`},
		{file{"sbom.json", []byte("[\"" + strings.Repeat("x,", 10) + "]")}, "sbom.json cannot be read: not JSON: unexpected EOF"},
		{file{"sbom.json", []byte(`{"files":[` + strings.Repeat("{},", MaxElements) + "{}]}")}, "sbom.json cannot be read: exceeded max number of elements 100000 for CBOR array"},
	} {
		p, err := Read(t.Context(), stored(t, v1(t, nil), test.sbom))
		if err != nil {
			t.Error(err)
			continue
		}
		if p.SBOM.Err == nil || p.SBOM.Err.Error() != test.want || p.SBOM.OK() {
			t.Errorf("got  %v, OK %v\nwant %s", p.SBOM.Err, p.SBOM.OK(), test.want)
		}
		p.SBOM.Err = nil
		if want := (SBOM{File: test.sbom.name}); !reflect.DeepEqual(p.SBOM, want) {
			t.Errorf("got %+v, want %+v", p.SBOM, want)
		}
	}
}

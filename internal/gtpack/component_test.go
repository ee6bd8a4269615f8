package gtpack

import (
	"testing"
)

// The manifest wins over its extension and the lock.
func TestComponents(t *testing.T) {
	sources := func(components ...document) document {
		return document{"greentic.pack.component_sources@v1": document{
			"kind": "x", "inline": document{"schema_version": 1, "components": components},
		}}
	}
	inline := func(path string) document { return document{"inline": document{"wasm_path": path}} }
	lock := func(components document) file {
		return cborFile(t, "pack.lock.cbor", document{"version": 1, "components": components})
	}
	wasm := func(path string) file { return file{path, []byte("\x00asm")} }
	for name, test := range map[string]struct {
		manifest document
		files    []file
		want     []Component
	}{
		"in the usual place": {
			document{"components": []document{{"id": 1, "version": "2.0.0"}, {"id": 0, "version": "1.0.0"}}},
			[]file{wasm("components/d.wasm"), wasm("components/e.wasm")},
			[]Component{{ID: "c", Version: "1.0.0"}, {"d", "2.0.0", "components/d.wasm", 4}},
		},
		"from elsewhere": {
			document{"extensions": sources(
				document{"component_id": "x", "name": "y", "artifact": inline("blobs/x")},
				document{"name": "n", "artifact": inline("blobs/n")},
				document{"name": "lost", "artifact": inline("blobs/lost")},
				document{"name": "r", "artifact": "remote"},
				document{"name": "bare"},
				document{"name": "x", "artifact": inline("blobs/n")},
			)},
			[]file{wasm("blobs/x"), wasm("blobs/n"), wasm("components/x.wasm"), wasm("components/lost.wasm"), wasm("components/bare.wasm")},
			[]Component{{ID: "bare", Path: "components/bare.wasm", Size: 4}, {ID: "lost"}, {ID: "n", Path: "blobs/n", Size: 4}, {ID: "r"}, {ID: "x", Path: "blobs/x", Size: 4}},
		},
		"in the lock": {
			nil,
			[]file{wasm("components/x.wasm"), lock(document{
				"x": document{"component_id": "x", "component_version": "0.2.0"},
				"k": document{"component_version": nil},
			})},
			[]Component{{ID: "k"}, {"x", "0.2.0", "components/x.wasm", 4}},
		},
		"in all places": {
			document{
				"components": []document{{"id": 0, "version": "1.0.0"}, {"id": 1}, {"id": 0, "version": "9.0.0"}},
				"extensions": sources(document{"name": "c", "artifact": inline("c")}),
			},
			[]file{wasm("c"), wasm("components/c.wasm"), lock(document{
				"c": document{"component_id": "c", "component_version": "0.2.0"},
				"d": document{"component_id": "d", "component_version": "0.3.0"},
				"e": document{"component_id": "d", "component_version": "0.4.0"},
			})},
			[]Component{{"c", "1.0.0", "c", 4}, {ID: "d", Version: "0.3.0"}},
		},
		"not understood": {
			document{"extensions": document{"greentic.pack.component_sources@v1": document{"inline": document{"components": "none"}}}},
			[]file{{"pack.lock.cbor", []byte("\xff")}},
			nil,
		},
		"half understood": {
			document{"extensions": sources(document{"name": "x", "artifact": inline("a")}, document{"name": 1})},
			[]file{wasm("a"), cborFile(t, "pack.lock.cbor", document{"components": document{"y": document{}, "z": 1}})},
			nil,
		},
		"in an older lock": {
			nil,
			[]file{cborFile(t, "pack.lock.cbor", document{"schema_version": 1, "components": []document{{"name": "x"}}})},
			nil,
		},
		"without a name": {
			document{"components": []document{{"id": 0}}, "extensions": sources(document{"artifact": inline("")})},
			[]file{{"", []byte("x")}, wasm("components/.wasm")},
			[]Component{{Path: "components/.wasm", Size: 4}, {ID: "c"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := &Pack{Format: FormatV1, ID: "p", Version: "1.0.0", Components: test.want}
			files := append([]file{v1(t, test.manifest)}, test.files...)
			for _, f := range files {
				want.Files++
				want.Unpacked += int64(len(f.data))
			}
			checkPack(t, stored(t, files...), want)
		})
	}
}

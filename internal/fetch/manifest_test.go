package fetch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	hexA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	hexB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

	imageType    = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
	artifactType = "application/vnd.oci.artifact.manifest.v1+json"
	dockerType   = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList   = "application/vnd.docker.distribution.manifest.list.v2+json"

	packType = "application/vnd.greentic.gtpack.v1+zip"

	// aLayer is a descriptor of the pack's kind.
	aLayer = `{"mediaType":"` + packType + `","digest":"sha256:` + hexA + `","size":7}`
)

// A parseCase is a manifest and what becomes of it: a summary, or an error.
type parseCase struct {
	name, body, contentType string
	want                    string // as summary has it
	err                     string
	none                    bool // the error is a *NoPackError
}

// parseCases are also the seeds of FuzzParseManifest.
var parseCases = []parseCase{
	// Every kind that is read, and what its kind is decided by.
	{name: "OCI image", body: `{"schemaVersion":2,"mediaType":"` + imageType + `","config":{},"layers":[` + aLayer + `]}`,
		contentType: imageType, want: "layers " + packType + " a 7"},
	{name: "Docker schema 2", body: `{"schemaVersion":2,"mediaType":"` + dockerType + `","layers":[` + aLayer + `]}`,
		contentType: dockerType, want: "layers " + packType + " a 7"},
	{name: "OCI artifact", body: `{"mediaType":"` + artifactType + `","blobs":[` + aLayer + `]}`,
		contentType: artifactType, want: "layers " + packType + " a 7"},
	{name: "OCI index", body: `{"mediaType":"` + indexType + `","manifests":[{"mediaType":"` + imageType + `","digest":"sha256:` + hexA + `","size":7,"platform":{"os":"linux","architecture":"arm64"}}]}`,
		contentType: indexType, want: "index " + imageType + " a 7 linux/arm64"},
	{name: "Docker list", body: `{"mediaType":"` + dockerList + `","manifests":[]}`, contentType: dockerList, want: "index"},
	{name: "layers without mediaType", body: `{"layers":[` + aLayer + `]}`, want: "layers " + packType + " a 7"},
	{name: "blobs without mediaType", body: `{"blobs":[` + aLayer + `]}`, want: "layers " + packType + " a 7"},
	{name: "manifests without mediaType", body: `{"manifests":[{"digest":"sha256:` + hexA + `","size":1}]}`, want: "index  a 1"},
	{name: "mediaType without a list", body: `{"mediaType":"` + imageType + `"}`, want: "layers"},
	{name: "empty list", body: `{"layers":[]}`, want: "layers"},
	{name: "null list", body: `{"layers":null}`, want: "layers"},

	// A Content-Type contradicts the body only when both are known.
	{name: "Content-Type application/json", body: `{"mediaType":"` + imageType + `","layers":[]}`, contentType: "application/json", want: "layers"},
	{name: "no Content-Type", body: `{"mediaType":"` + imageType + `","layers":[]}`, want: "layers"},
	{name: "Content-Type octet-stream", body: `{"layers":[]}`, contentType: "application/octet-stream", want: "layers"},
	{name: "Content-Type of another kind, body unnamed", body: `{"layers":[]}`, contentType: indexType, want: "layers"},
	{name: "Content-Type contradicts", body: `{"mediaType":"` + imageType + `","layers":[]}`, contentType: indexType,
		err: "invalid manifest: ambiguous manifest: its Content-Type is " + indexType + ", its mediaType " + imageType},
	{name: "Content-Type contradicts, same kind", body: `{"mediaType":"` + imageType + `","layers":[]}`, contentType: dockerType,
		err: "invalid manifest: ambiguous manifest: its Content-Type is " + dockerType + ", its mediaType " + imageType},

	// Two lists, or another than the mediaType's.
	{name: "layers and manifests", body: `{"layers":[` + aLayer + `],"manifests":[]}`, err: "invalid manifest: ambiguous manifest: it has both layers and manifests"},
	{name: "both empty", body: `{"manifests":[],"layers":[]}`, err: "invalid manifest: ambiguous manifest: it has both layers and manifests"},
	{name: "both null", body: `{"manifests":null,"layers":null}`, err: "invalid manifest: ambiguous manifest: it has both layers and manifests"},
	{name: "both with mediaType", body: `{"mediaType":"` + imageType + `","manifests":[],"layers":[]}`, err: "invalid manifest: ambiguous manifest: it has both layers and manifests"},
	{name: "layers and blobs", body: `{"blobs":[],"layers":[]}`, err: "invalid manifest: ambiguous manifest: it has both layers and blobs"},
	{name: "blobs and manifests", body: `{"blobs":[],"manifests":[]}`, err: "invalid manifest: ambiguous manifest: it has both blobs and manifests"},
	{name: "an index with layers", body: `{"mediaType":"` + indexType + `","layers":[]}`,
		err: "invalid manifest: ambiguous manifest: its mediaType is " + indexType + ", but it has layers"},
	{name: "an image with manifests", body: `{"mediaType":"` + imageType + `","manifests":[]}`,
		err: "invalid manifest: ambiguous manifest: its mediaType is " + imageType + ", but it has manifests"},

	// What holds no packs.
	{name: "unknown mediaType", body: `{"mediaType":"application/vnd.docker.distribution.manifest.v1+json","layers":[]}`,
		err: `packs are not read from manifests of type "application/vnd.docker.distribution.manifest.v1+json"`, none: true},
	{name: "hostile mediaType", body: `{"mediaType":"x\u001b[2J\u202e"}`,
		err: `packs are not read from manifests of type "x\x1b[2J\u202e"`, none: true},
	{name: "neither", body: `{"schemaVersion":1}`,
		err: "it is no manifest: it has neither a mediaType nor layers, blobs or manifests", none: true},
	{name: "empty object", body: `{}`,
		err: "it is no manifest: it has neither a mediaType nor layers, blobs or manifests", none: true},

	// White space, unknown keys and what descriptors carry besides.
	{name: "white space after it", body: "{\"layers\":[]} \n\r\t ", want: "layers"},
	{name: "white space before it", body: " \n\t{\"layers\":[]}", want: "layers"},
	{name: "unknown keys", body: `{"layers":[],"x":{"y":[1,2.5e3,true,null,"z"]}}`, want: "layers"},
	{name: "config with inline data", body: `{"config":{"mediaType":"application/vnd.oci.empty.v1+json","data":"e30=","size":2},"layers":[` + aLayer + `]}`,
		want: "layers " + packType + " a 7"},
	{name: "urls and data on the layer", body: `{"layers":[{"mediaType":"` + packType + `","digest":"sha256:` + hexA + `","size":7,"urls":["https://evil.example/"],"data":"ZXZpbA=="}]}`,
		want: "layers " + packType + " a 7"},
	{name: "title", body: `{"layers":[{"mediaType":"t/t","digest":"sha256:` + hexB + `","size":1,"annotations":{"org.opencontainers.image.title":"x.gtpack"}}]}`,
		want: `layers t/t b 1 title "x.gtpack"`},
	{name: "annotations", body: `{"layers":[],"annotations":{"a":"1","A":"2","n":3}}`, want: `layers annotations map["A":"2" "a":"1"]`},
	{name: "annotations that are none", body: `{"layers":[],"annotations":["a"]}`, want: "layers"},
	{name: "subject", body: `{"layers":[],"subject":{"digest":"x"}}`, want: "layers subject"},
	{name: "subject null", body: `{"layers":[],"subject":null}`, want: "layers"},

	// Keys with two readings.
	{name: "LAYERS beside layers", body: `{"layers":[],"LAYERS":[]}`, err: `invalid manifest: key "LAYERS" and another that differs only by case`},
	{name: "layers twice", body: `{"layers":[],"layers":[]}`, err: `invalid manifest: key "layers" twice in one object`},
	{name: "escaped twice", body: `{"layers":[],"\u006cayers":[]}`, err: `invalid manifest: key "layers" twice in one object`},
	{name: "long s", body: `{"layers":[],"layer` + "\u017f" + `":[]}`, err: `invalid manifest: key "layer\u017f" and another that differs only by case`},
	{name: "Kelvin sign", body: `{"k":1,"` + "\u212a" + `":1}`, err: `invalid manifest: key "\u212a" and another that differs only by case`},
	{name: "size twice", body: `{"layers":[{"size":1,"size":2}]}`, err: `invalid manifest: key "size" twice in one object`},
	{name: "Digest beside digest", body: `{"layers":[{"digest":"a","Digest":"b"}]}`, err: `invalid manifest: key "Digest" and another that differs only by case`},
	{name: "annotation twice", body: `{"layers":[],"annotations":{"a":"1","a":"2"}}`, err: `invalid manifest: key "a" twice in one object`},
	{name: "Annotations beside annotations", body: `{"layers":[],"annotations":{},"Annotations":{}}`, err: `invalid manifest: key "Annotations" and another that differs only by case`},
	{name: "another case alone is another key", body: `{"mediaType":"` + imageType + `","Layers":[` + aLayer + `]}`, want: "layers"},

	// Trailing data.
	{name: "two objects", body: `{"layers":[]}{}`, err: "invalid manifest: data after the JSON object"},
	{name: "trailing word", body: `{"layers":[]} x`, err: "invalid manifest: data after the JSON object"},
	{name: "trailing brace", body: `{"layers":[]}}`, err: "invalid manifest: data after the JSON object"},
	{name: "trailing NUL", body: "{\"layers\":[]}\x00", err: "invalid manifest: data after the JSON object"},
	{name: "trailing comma", body: `{"layers":[]},`, err: "invalid manifest: data after the JSON object"},

	// No JSON object.
	{name: "array", body: `[]`, err: "invalid manifest: not a JSON object"},
	{name: "string", body: `"x"`, err: "invalid manifest: not a JSON object"},
	{name: "null", body: `null`, err: "invalid manifest: not a JSON object"},
	{name: "number", body: `1`, err: "invalid manifest: not a JSON object"},
	{name: "byte order mark", body: "\ufeff{}", err: "invalid manifest: not JSON: invalid character 'ï' looking for beginning of value"},
	{name: "HTML", body: `<html>`, err: "invalid manifest: not JSON: invalid character '<' looking for beginning of value"},
	{name: "key is a number", body: `{1:2}`, err: "invalid manifest: not JSON: invalid character '1'"},
	{name: "no colon", body: `{"a" 1}`, err: "invalid manifest: not JSON: invalid character '1' after object key"},
	{name: "comma at the end", body: `{"layers":[],}`, err: "invalid manifest: not JSON: invalid character '}'"},
	{name: "no comma", body: `{"layers":[{} {}]}`, err: "invalid manifest: not JSON: invalid character '{' after array element"},

	// Lists of something else.
	{name: "layers is an object", body: `{"layers":{}}`, err: "invalid manifest: layers is not a list"},
	{name: "manifests is a string", body: `{"manifests":"x"}`, err: "invalid manifest: manifests is not a list"},
	{name: "layers is false", body: `{"layers":false}`, err: "invalid manifest: layers is not a list"},
	{name: "a layer is a string", body: `{"layers":[` + aLayer + `,"x"]}`, err: "invalid manifest: layers[1] is not a descriptor"},
	{name: "a layer is null", body: `{"layers":[null]}`, err: "invalid manifest: layers[0] is not a descriptor"},
	{name: "a child is a list", body: `{"manifests":[[]]}`, err: "invalid manifest: manifests[0] is not a descriptor"},

	// Depth.
	{name: "deep", body: `{"layers":[],"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, want: "layers"},
	{name: "too deep", body: `{"layers":[],"x":` + strings.Repeat("[", 33) + strings.Repeat("]", 33) + `}`, err: "invalid manifest: JSON nested deeper than 32"},
	{name: "objects too deep", body: strings.Repeat(`{"x":`, 40), err: "invalid manifest: JSON nested deeper than 32"},
	{name: "a million brackets", body: strings.Repeat("[", 1_000_000), err: "invalid manifest: JSON nested deeper than 32"},

	// Values of the wrong type are as good as none.
	{name: "descriptor of wrong types", body: `{"layers":[{"mediaType":1,"digest":[],"size":"7"}]}`, want: "layers   -1"},
}

// summary is one line of all that parseManifest found.
func summary(m *manifest) string {
	b := &strings.Builder{}
	b.WriteString("layers")
	if m.index {
		b.Reset()
		b.WriteString("index")
	}
	short := func(digest string) string {
		return strings.TrimSuffix(strings.TrimPrefix(digest, "sha256:"), digest[min(len(digest), 8):])
	}
	for _, l := range m.layers {
		fmt.Fprintf(b, " %s %s %d", l.MediaType, short(l.Digest), l.Size)
		if l.Title != "" {
			fmt.Fprintf(b, " title %q", l.Title)
		}
	}
	for _, c := range m.children {
		fmt.Fprintf(b, " %s %s %d", c.MediaType, short(c.Digest), c.Size)
		if c.Platform != "" {
			b.WriteString(" " + c.Platform)
		}
	}
	if m.subject {
		b.WriteString(" subject")
	}
	if len(m.annotations) > 0 {
		fmt.Fprintf(b, " annotations %q", m.annotations)
	}
	return b.String()
}

func TestParseManifest(t *testing.T) {
	for _, test := range parseCases {
		t.Run(test.name, func(t *testing.T) {
			m, err := parseManifest([]byte(test.body), test.contentType)
			if test.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := summary(m); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				return
			}
			if err == nil {
				t.Fatalf("got %s, want error %q", summary(m), test.err)
			}
			wantParseError(t, err, test)
		})
	}
}

func wantParseError(t *testing.T, err error, test parseCase) {
	t.Helper()
	var none *NoPackError
	var bad *ManifestError
	if errors.As(err, &none) != test.none || errors.As(err, &bad) == test.none {
		t.Errorf("got a %T", err)
	}
	// What encoding/json says after our own words may change with Go.
	if got := err.Error(); got != test.err && !(strings.HasPrefix(test.err, "invalid manifest: not JSON: ") && strings.HasPrefix(got, test.err)) {
		t.Errorf("got %q, want %q", got, test.err)
	}
}

// Wherever the bytes end, the message says that they are no JSON.
func TestParseManifestCutShort(t *testing.T) {
	whole := `{"schemaVersion":2,"layers":[{"size":1,"annotations":{"a":"b"}}],"annotations":{"a":"b"}}`
	for n := range len(whole) {
		_, err := parseManifest([]byte(whole[:n]), "")
		var bad *ManifestError
		if !errors.As(err, &bad) {
			t.Errorf("%q: got %v (%T), want a *ManifestError", whole[:n], err, err)
			continue
		}
		if !strings.HasPrefix(err.Error(), "invalid manifest: not JSON: ") {
			t.Errorf("%q: got %q", whole[:n], err)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0":                    0,
		"7":                    7,
		"2000000001":           2000000001,
		"-1":                   -1,
		"-9223372036854775808": -1,
		"1.0":                  -1,
		"1.5":                  -1,
		"1e3":                  -1,
		"9223372036854775808":  -1,
		"1e400":                -1,
		`"7"`:                  -1,
		"null":                 -1,
		"true":                 -1,
		"[7]":                  -1,
		"{}":                   -1,
	} {
		m, err := parseManifest([]byte(`{"layers":[{"size":`+text+`}]}`), "")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := m.layers[0].Size; got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}

func TestAttestationChildren(t *testing.T) {
	m, err := parseManifest([]byte(`{"manifests":[
		{"artifactType":"x/y","annotations":{"vnd.docker.reference.type":"attestation-manifest"}},
		{"annotations":{"vnd.docker.reference.type":"other"}},
		{"platform":{"os":"linux"}},{"platform":"x"}]}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if c := m.children[0]; !c.attestation || c.ArtifactType != "x/y" {
		t.Errorf("got %+v", c)
	}
	if m.children[1].attestation || m.children[2].attestation {
		t.Error("others are attestations too")
	}
	if got := m.children[2].Platform + " " + m.children[3].Platform; got != "linux/ " {
		t.Errorf("platforms %q", got)
	}
}

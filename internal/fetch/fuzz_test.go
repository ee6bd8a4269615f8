package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// FuzzParseManifest: no bytes make it panic, its errors have the documented
// types, and what it accepts means the same to encoding/json, which reads it
// into maps and so tells keys apart exactly.
func FuzzParseManifest(f *testing.F) {
	for _, test := range parseCases {
		if len(test.body) < 1<<10 {
			f.Add([]byte(test.body), test.contentType)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		m, err := parseManifest(body, contentType)
		if err != nil {
			var none *NoPackError
			var bad *ManifestError
			if !errors.As(err, &none) && !errors.As(err, &bad) {
				t.Fatalf("error %v is a %T", err, err)
			}
			return
		}
		doc := decodeExactly(t, body)
		list := "layers"
		if _, blobs := doc["blobs"]; blobs {
			list = "blobs"
		}
		if m.index {
			list = "manifests"
		}
		var layers []Layer
		var blobs []blob
		var children []Child
		if config, ok := doc["config"].(map[string]any); ok {
			blobs = append(blobs, blobOf(config))
		}
		entries, _ := doc[list].([]any)
		for _, entry := range entries {
			d := entry.(map[string]any)
			if m.index {
				children = append(children, childOf(d))
			} else {
				layers, blobs = append(layers, blobOf(d).Layer), append(blobs, blobOf(d))
			}
		}
		mediaType := stringOf(doc, "mediaType")
		if mediaType == "" {
			mediaType = defaultTypes[list]
		}
		want := &manifest{mediaType: mediaType, index: m.index, layers: layers, blobs: blobs, children: children, subject: doc["subject"] != nil, annotations: annotationsOf(doc)}
		if !reflect.DeepEqual(m, want) {
			t.Fatalf("got %+v, encoding/json says %+v", m, want)
		}
		selectAndCheck(t, m.layers)
	})
}

func decodeExactly(t *testing.T, body []byte) map[string]any {
	t.Helper()
	if !json.Valid(body) {
		t.Fatalf("accepted, but it is no JSON: %q", body)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("accepted, but encoding/json says %v", err)
	}
	return doc
}

func blobOf(d map[string]any) blob {
	return blob{Layer{
		MediaType: stringOf(d, "mediaType"), Digest: stringOf(d, "digest"), Size: exactSize(d),
		Title: annotationsOf(d)["org.opencontainers.image.title"],
	}, stringOf(d, "data")}
}

func childOf(d map[string]any) Child {
	c := Child{
		MediaType: stringOf(d, "mediaType"), ArtifactType: stringOf(d, "artifactType"),
		Digest: stringOf(d, "digest"), Size: exactSize(d),
		attestation: annotationsOf(d)["vnd.docker.reference.type"] == "attestation-manifest",
	}
	if p, ok := d["platform"].(map[string]any); ok {
		c.Platform = stringOf(p, "os") + "/" + stringOf(p, "architecture")
	}
	return c
}

func stringOf(d map[string]any, key string) string {
	s, _ := d[key].(string)
	return s
}

func exactSize(d map[string]any) int64 {
	number, ok := d["size"].(json.Number)
	if !ok {
		return -1
	}
	size, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || size < 0 {
		return -1
	}
	return size
}

func annotationsOf(d map[string]any) map[string]string {
	members, ok := d["annotations"].(map[string]any)
	if !ok {
		return nil
	}
	m := map[string]string{}
	for k, v := range members {
		if s, ok := v.(string); ok {
			m[k] = s
		}
	}
	return m
}

func selectAndCheck(t *testing.T, layers []Layer) {
	t.Helper()
	sel, err := selectPack(layers, []string{"application/vnd.acme"}, "")
	if err != nil {
		return
	}
	if _, err := ociref.ParseDigest(sel.layer.Digest); err != nil || sel.layer.Size < 0 || !ociref.IsMediaType(sel.layer.MediaType) {
		t.Fatalf("selected %+v", sel.layer)
	}
}

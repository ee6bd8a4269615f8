package fetch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Select is a pure function with the rules of Resolve.
func TestSelectBytes(t *testing.T) {
	digest := ociref.DigestOf([]byte("pack"))
	layer := func(mediaType string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":4}`, mediaType, digest)
	}
	manifest := func(layers ...string) string {
		return `{"annotations":{"a":"b"},"layers":[` + strings.Join(layers, ",") + `]}`
	}
	const gtpack, custom = "application/vnd.greentic.gtpack.v1+zip", "application/vnd.acme"
	for name, test := range map[string]struct {
		manifest string
		accept   []string
		layer    string
		want     string // the media type, or the error
	}{
		"by the rules":  {manifest(layer("application/json"), layer(gtpack)), nil, "", gtpack},
		"by media type": {manifest(layer("application/json"), layer(gtpack)), nil, "application/json", "application/json"},
		"accepted":      {manifest(layer(custom)), []string{custom}, "", custom},
		"not accepted":  {manifest(layer(custom)), nil, "", `no layer has a media type that is accepted for packs ("application/vnd.acme" ` + digest.String() + ")"},
		"no such layer": {manifest(layer(gtpack)), nil, custom, `no layer is "application/vnd.acme" ("` + gtpack + `" ` + digest.String() + ")"},
		"no manifest":   {"{}", nil, "", "it is no manifest: it has neither a mediaType nor layers, blobs or manifests"},
		"no JSON":       {"", nil, "", "invalid manifest: not JSON: unexpected EOF"},
		"an index":      {`{"manifests":[]}`, nil, "", "the image index is no manifest of a pack"},
		"no digest":     {`{"layers":[{"mediaType":"` + gtpack + `","size":1}]}`, nil, "", `invalid manifest: pack layer: digest "" does not start with "sha256:"`},
	} {
		sel, err := Select([]byte(test.manifest), test.accept, test.layer)
		got := sel.Layer.MediaType
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s:\n got: %s\nwant: %s", name, got, test.want)
		}
		if err == nil && (sel.Layer.Digest != digest.String() || sel.Layer.Size != 4 || sel.Annotations["a"] != "b") {
			t.Errorf("%s: %+v", name, sel)
		}
	}
}

func TestCheckListed(t *testing.T) {
	const image, docker = "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"
	plain, named := `{"layers":[]}`, `{"mediaType":"`+image+`","layers":[]}`
	child := func(manifest, mediaType string, size int, more string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, ociref.DigestOf([]byte(manifest)), size, more)
	}
	index := func(children ...string) string { return `{"manifests":[` + strings.Join(children, ",") + `]}` }
	other := child("other", image, 5, "")
	const attestation = `,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}`
	digest := func(manifest string) string { return ociref.DigestOf([]byte(manifest)).String() }
	for name, test := range map[string]struct{ index, manifest, want string }{
		"listed":             {index(other, child(named, image, len(named), "")), named, ""},
		"names no type":      {index(child(plain, docker, len(plain), "")), plain, ""},
		"other platform":     {index(child(plain, image, len(plain), `,"platform":{"os":"linux"}`)), plain, ""},
		"not listed":         {index(other), named, "the image index lists manifest " + digest(named) + " 0 times, not once"},
		"empty":              {index(), named, "the image index lists manifest " + digest(named) + " 0 times, not once"},
		"twice":              {index(child(named, image, len(named), ""), child(named, image, 1, "")), named, "the image index lists manifest " + digest(named) + " 2 times, not once"},
		"as an attestation":  {index(child(named, image, len(named), attestation)), named, "the image index lists manifest " + digest(named) + " as an attestation"},
		"another size":       {index(child(named, image, 1, "")), named, fmt.Sprintf("the image index says that manifest %s has 1 bytes, but it has %d", digest(named), len(named))},
		"another type":       {index(child(named, docker, len(named), "")), named, `the image index says that manifest ` + digest(named) + ` is of type "` + docker + `", but it is not`},
		"another kind":       {index(child(plain, "application/vnd.oci.image.index.v1+json", len(plain), "")), plain, `the image index says that manifest ` + digest(plain) + ` is of type "application/vnd.oci.image.index.v1+json", but it is not`},
		"no type":            {index(child(plain, "", len(plain), "")), plain, `the image index says that manifest ` + digest(plain) + ` is of type "", but it is not`},
		"a manifest instead": {plain, plain, "invalid manifest: it is not an image index"},
		"no index":           {"", plain, "invalid manifest: not JSON: unexpected EOF"},
		"no manifest":        {index(child("{", image, 1, "")), "{", "invalid manifest: not JSON: unexpected EOF"},
		"neither":            {index(child("{}", image, 2, "")), "{}", "invalid manifest: it is no manifest: it has neither a mediaType nor layers, blobs or manifests"},
	} {
		err := CheckListed([]byte(test.index), []byte(test.manifest))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s:\n got: %s\nwant: %s", name, got, test.want)
		}
		var list *IndexError
		var bad *ManifestError
		if err != nil && !errors.As(err, &list) && !errors.As(err, &bad) {
			t.Errorf("%s: %T", name, err)
		}
	}
}

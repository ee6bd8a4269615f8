package cyclonedx

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// The expected package URLs have the form of the specification's own tests:
// https://github.com/package-url/purl-spec/blob/main/tests/types/oci-test.json
func TestOCIPURL(t *testing.T) {
	hex := strings.Repeat("0a", 32)
	for _, test := range []struct{ ref, tag, want string }{
		{"docker.io/library/debian", "latest", "pkg:oci/debian@sha256:HEX?repository_url=docker.io%2Flibrary%2Fdebian&tag=latest"},
		{"ghcr.io/hello-wasm", "", "pkg:oci/hello-wasm@sha256:HEX?repository_url=ghcr.io%2Fhello-wasm"},
		{"localhost:5000/a/b__c.d", "V1.0_x-y", "pkg:oci/b__c.d@sha256:HEX?repository_url=localhost:5000%2Fa%2Fb__c.d&tag=V1.0_x-y"},
		{"[::1]:5000/a", "1", "pkg:oci/a@sha256:HEX?repository_url=%5B::1%5D:5000%2Fa&tag=1"},
	} {
		ref, err := ociref.Parse(test.ref)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := ociPURL(ref, ociref.Digest("sha256:"+hex), test.tag); got != strings.Replace(test.want, "HEX", hex, 1) {
			t.Errorf("%s: %s, want %s", test.ref, got, test.want)
		}
	}
}

func TestFilePURL(t *testing.T) {
	for name, want := range map[string]string{
		"slack":   "pkg:generic/slack?checksum=sha256:0a",
		"a-b_c.d": "pkg:generic/a-b_c.d?checksum=sha256:0a",
		"Ä b%":    "pkg:generic/%C3%84%20b%25?checksum=sha256:0a",
	} {
		if got := filePURL(name, "sha256:0a"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

package signature

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

func TestVerifySimple(t *testing.T) {
	for name, test := range map[string]struct {
		payload func(*signing.Simple)
		text    func(string) string // changes the payload before it is signed
		key     *signing.Key
		problem Problem
		want    string
	}{
		"right":              {},
		"Ed25519":            {key: signing.Ed25519(1)},
		"RSA":                {key: signing.RSA(1, 2048, 65537)},
		"optional words":     {payload: func(s *signing.Simple) { s.Optional = map[string]any{"creator": "x"} }},
		"an empty reference": {payload: func(s *signing.Simple) { s.Critical.Identity.Reference = "" }},
		"another key":        {key: foreign, problem: Foreign, want: "no allowed key signed it"},
		"another type": {payload: func(s *signing.Simple) { s.Critical.Type = "atomic container signature" },
			problem: Malformed, want: `payload: critical.type: "atomic container signature", not "cosign container image signature"`},
		"no digest": {payload: func(s *signing.Simple) { s.Critical.Image.Digest = "" },
			problem: Malformed, want: `payload: critical.image.docker-manifest-digest: "" is not sha256: and 64 hexadecimal digits`},
		"a bare digest": {payload: func(s *signing.Simple) { s.Critical.Image.Digest = manifest[7:] },
			problem: Malformed, want: `payload: critical.image.docker-manifest-digest: "` + manifest[7:] + `" is not sha256: and 64 hexadecimal digits`},
		"more that is critical": {text: replaced(`"type":`, `"expires":"","type":`),
			problem: Malformed, want: "payload: critical.expires: unknown field"},
		"more in the image": {text: replaced(`"docker-manifest-digest"`, `"size":1,"docker-manifest-digest"`),
			problem: Malformed, want: "payload: critical.image.size: unknown field"},
		"more in the identity": {text: replaced(`"docker-reference"`, `"tag":"","docker-reference"`),
			problem: Malformed, want: "payload: critical.identity.tag: unknown field"},
		"critical twice": {text: replaced(`"critical"`, `"critical":{},"critical"`),
			problem: Malformed, want: `payload: key "critical" stands twice in one object`},
		"CRITICAL": {text: replaced(`"critical"`, `"CRITICAL"`),
			problem: Malformed, want: "payload: critical: missing"},
		"a statement": {text: func(string) string { return string(signing.CosignStatement(manifest).JSON()) },
			problem: Malformed, want: "payload: critical: missing"},
		"too large": {text: func(s string) string { return s + strings.Repeat(" ", MaxSize) },
			problem: Malformed, want: "payload: larger than 1048576 bytes"},
	} {
		s := signing.NewSimple("reg.example/a", manifest)
		if test.payload != nil {
			test.payload(&s)
		}
		text := string(s.JSON())
		if test.text != nil {
			text = test.text(text)
		}
		key := test.key
		if key == nil {
			key = signing.P256(1)
		}
		v, err := VerifySimple([]byte(text), key.Sign([]byte(text)), public(t, signing.P256(1), signing.Ed25519(1), signing.RSA(1, 2048, 65537)))
		checkError(t, name, err, test.problem, test.want)
		if err != nil {
			continue
		}
		want := Subject{Name: s.Critical.Identity.Reference, Digest: ociref.Digest(manifest)}
		if v.Format != Simple || v.Key.Identity() != key.Identity() || len(v.Subjects) != 1 || v.Subjects[0] != want || string(v.Payload) != text || v.PredicateType != "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
	payload := signing.NewSimple("", manifest).JSON()
	for name, sig := range map[string][]byte{
		"nothing":                   nil,
		"of the pre-authentication": signer.Sign(signing.PAE(signing.PayloadType, payload)),
	} {
		_, err := VerifySimple(payload, sig, public(t, signer))
		checkError(t, name, err, Foreign, "no allowed key signed it")
	}
}

func TestSimpleSignature(t *testing.T) {
	const name = "dev.cosignproject.cosign/signature"
	for _, test := range []struct {
		annotations map[string]string
		problem     Problem
		want        string
	}{
		{annotations: map[string]string{name: "AQI="}},
		{map[string]string{name: "AQI=", "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----"}, Certificate,
			"signed with a certificate: that is not supported in the format of cosign 2"},
		{nil, Malformed, "its layer has no annotation dev.cosignproject.cosign/signature"},
		{map[string]string{name: "AQI"}, Malformed, "annotation dev.cosignproject.cosign/signature: " + notBase64},
		{map[string]string{name: strings.Repeat("A", MaxSize+4)}, Malformed, "signature: larger than 1048576 bytes"},
	} {
		sig, err := SimpleSignature(test.annotations)
		checkError(t, test.want, err, test.problem, test.want)
		if err == nil && string(sig) != "\x01\x02" {
			t.Errorf("got %x", sig)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for mediaType, want := range map[string]Format{
		BundleMediaType: Bundle,
		"application/vnd.dev.sigstore.bundle+json;version=0.1": Bundle,
		SimpleMediaType: Simple,
		"application/vnd.dev.cosign.simplesigning.v1+json; charset=x": "",
		"application/vnd.oci.empty.v1+json":                           "",
		"x-application/vnd.dev.sigstore.bundle.v0.3+json":             "",
		"": "",
	} {
		if got := FormatOf(mediaType); got != want {
			t.Errorf("%s: %q, want %q", mediaType, got, want)
		}
	}
}

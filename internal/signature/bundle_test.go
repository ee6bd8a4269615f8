package signature

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// Each kind of key signs a bundle, and is found among others by trying.
func TestVerifyBundle(t *testing.T) {
	payload := signing.CosignStatement(manifest).JSON()
	all := []*signing.Key{signing.Ed25519(1), signing.P256(1), signing.RSA(1, 2048, 65537)}
	for _, key := range all {
		v, err := VerifyBundle(signing.SignBundle(payload, key).JSON(), public(t, all...))
		if err != nil || v.Key.Identity() != key.Identity() || v.Format != Bundle || v.PredicateType != signing.CosignSign ||
			string(v.Payload) != string(payload) || len(v.Subjects) != 1 || v.Subjects[0] != (Subject{Digest: ociref.Digest(manifest)}) {
			t.Errorf("%+v, %v", v, err)
		}
	}
}

// What is opened verifies by itself, and may state anything.
func TestOpenBundle(t *testing.T) {
	o, err := OpenBundle(signing.SignBundle([]byte("{}"), signer).JSON(), public(t, foreign, signer))
	if err != nil {
		t.Fatal(err)
	}
	if string(o.Payload) != "{}" || o.Key.Identity() != signer.Identity() || !o.Key.Verify(o.Signed, o.Signature) {
		t.Errorf("%+v", o)
	}
	if o, err := OpenBundle(signing.SignBundle([]byte("{}"), signer).JSON(), public(t, foreign)); err == nil {
		t.Errorf("another key: %+v", o)
	}
}

func TestBundles(t *testing.T) {
	for name, test := range map[string]struct {
		statement func(*signing.Statement)
		bundle    func(*signing.Bundle)
		text      func(string) string
		problem   Problem
		want      string
	}{
		"right": {},
		"Ed25519ph, as cosign": {bundle: func(b *signing.Bundle) {
			b.Envelope.Signatures[0].Sig = signing.Base64(signer.SignPrehashed(signing.PAE(signing.PayloadType, signing.CosignStatement(manifest).JSON())))
		}},
		"with a keyid":  {bundle: func(b *signing.Bundle) { b.Envelope.Signatures[0].KeyID = pointer(theirs) }},
		"without hint":  {bundle: func(b *signing.Bundle) { b.Material["publicKey"] = map[string]any{} }},
		"with log":      {bundle: func(b *signing.Bundle) { b.Material["tlogEntries"] = []any{map[string]any{"logIndex": "1"}} }},
		"with time":     {bundle: func(b *signing.Bundle) { b.Material["timestampVerificationData"] = map[string]any{} }},
		"subject names": {statement: func(s *signing.Statement) { s.Subject[0].Name = "reg.example/a" }},
		"two subjects":  {statement: func(s *signing.Statement) { s.Subject = append(s.Subject, signing.About("b", layer)) }},
		"sha512 too":    {statement: func(s *signing.Statement) { s.Subject[0].Digest["sha512"] = "x" }},
		"no sha256":     {statement: func(s *signing.Statement) { s.Subject[0].Digest = map[string]string{"gitCommit": "x"} }},

		"another key": {bundle: func(b *signing.Bundle) { *b = signing.SignBundle([]byte("{}"), foreign) },
			problem: Foreign, want: "no allowed key signed it"},
		"a changed payload": {bundle: func(b *signing.Bundle) { b.Envelope.Payload = signing.Base64([]byte("{}")) },
			problem: Foreign, want: "no allowed key signed it"},
		"an empty signature": {bundle: func(b *signing.Bundle) { b.Envelope.Signatures[0].Sig = "" },
			problem: Foreign, want: "no allowed key signed it"},
		"version 0.1": {bundle: func(b *signing.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1" },
			problem: Unsupported, want: "a bundle of type application/vnd.dev.sigstore.bundle+json;version=0.1 is not supported yet: only version 0.3"},
		"version 0.2": {bundle: func(b *signing.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2" },
			problem: Unsupported, want: "a bundle of type application/vnd.dev.sigstore.bundle+json;version=0.2 is not supported yet: only version 0.3"},
		"version 0.4": {bundle: func(b *signing.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle.v0.4+json" },
			text:    replaced(`"mediaType"`, `"new":1,"mediaType"`),
			problem: Unsupported, want: "a bundle of type application/vnd.dev.sigstore.bundle.v0.4+json is not supported yet: only version 0.3"},
		"another mediaType": {bundle: func(b *signing.Bundle) { b.MediaType = "application/json" },
			problem: Malformed, want: `bundle: mediaType: "application/json", not application/vnd.dev.sigstore.bundle.v0.3+json`},
		"no mediaType": {text: replaced(`"mediaType"`, `"media_type"`),
			problem: Malformed, want: "bundle: mediaType: missing"},
		"a messageSignature": {bundle: func(b *signing.Bundle) { b.Envelope, b.MessageSignature = nil, map[string]any{"signature": ""} },
			problem: Unsupported, want: "a bundle with a messageSignature is not supported yet: only with a dsseEnvelope"},
		"a messageSignature too": {bundle: func(b *signing.Bundle) { b.MessageSignature = map[string]any{"signature": ""} },
			problem: Unsupported, want: "a bundle with a messageSignature is not supported yet: only with a dsseEnvelope"},
		"a certificate": {bundle: func(b *signing.Bundle) { b.Material = map[string]any{"certificate": map[string]any{"rawBytes": ""}} },
			problem: Certificate, want: "signed with a certificate, not with a key"},
		"a certificate too": {bundle: func(b *signing.Bundle) { b.Material["certificate"] = map[string]any{} },
			problem: Certificate, want: "signed with a certificate, not with a key"},
		"a chain": {bundle: func(b *signing.Bundle) { b.Material = map[string]any{"x509CertificateChain": map[string]any{}} },
			problem: Certificate, want: "signed with a certificate, not with a key"},
		"no material": {bundle: func(b *signing.Bundle) { b.Material = nil },
			problem: Malformed, want: "bundle: verificationMaterial: not an object"},
		"nothing in the material": {bundle: func(b *signing.Bundle) { b.Material = map[string]any{} },
			problem: Malformed, want: "bundle: verificationMaterial.publicKey: missing"},
		"two signatures": {bundle: func(b *signing.Bundle) {
			b.Envelope.Signatures = append(b.Envelope.Signatures, b.Envelope.Signatures[0])
		},
			problem: Malformed, want: "bundle: dsseEnvelope.signatures: 2 signatures, not one"},
		"no signatures": {bundle: func(b *signing.Bundle) { b.Envelope.Signatures = []signing.Signature{} },
			problem: Malformed, want: "bundle: dsseEnvelope.signatures: 0 signatures, not one"},
		"no envelope": {bundle: func(b *signing.Bundle) { b.Envelope = nil },
			problem: Malformed, want: "bundle: dsseEnvelope: missing"},
		"dsse_envelope": {text: replaced("dsseEnvelope", "dsse_envelope"),
			problem: Malformed, want: "bundle: dsse_envelope: unknown field"},
		"dsse_envelope too": {text: replaced(`"mediaType"`, `"dsse_envelope":{},"mediaType"`),
			problem: Malformed, want: "bundle: dsse_envelope: unknown field"},
		"tlog_entries": {bundle: func(b *signing.Bundle) { b.Material["tlog_entries"] = []any{} },
			problem: Malformed, want: "bundle: verificationMaterial.tlog_entries: unknown field"},
		"payload_type": {text: replaced(`"payloadType"`, `"payload_type":"","payloadType"`),
			problem: Malformed, want: "bundle: dsseEnvelope.payload_type: unknown field"},
		"DSSEENVELOPE": {text: replaced("dsseEnvelope", "DSSEENVELOPE"),
			problem: Malformed, want: "bundle: DSSEENVELOPE: unknown field"},
		"a surplus field of the signature": {text: replaced(`"sig"`, `"extension":{},"sig"`),
			problem: Malformed, want: "bundle: dsseEnvelope.signatures[0].extension: unknown field"},
		"the envelope twice": {text: replaced(`"dsseEnvelope"`, `"dsseEnvelope":{},"dsseEnvelope"`),
			problem: Malformed, want: `bundle: key "dsseEnvelope" stands twice in one object`},
		"a field twice in what is ignored": {text: replaced(`"publicKey":{`, `"publicKey":{"hint":"","x":{"y":1,"y":1},`),
			problem: Malformed, want: `bundle: key "y" stands twice in one object`},
		"another payloadType": {bundle: func(b *signing.Bundle) { b.Envelope.PayloadType = "text/plain" },
			problem: Malformed, want: `bundle: dsseEnvelope.payloadType: "text/plain", not application/vnd.in-toto+json`},
		"a newline in base64": {bundle: func(b *signing.Bundle) { b.Envelope.Signatures[0].Sig += "\n" },
			problem: Malformed, want: "bundle: dsseEnvelope.signatures[0].sig: " + notBase64},
		"no JSON": {text: func(string) string { return "" },
			problem: Malformed, want: "bundle: not JSON: unexpected EOF"},
		"too large": {text: func(s string) string { return s + strings.Repeat(" ", MaxSize) },
			problem: Malformed, want: "bundle: larger than 1048576 bytes"},
		"an SBOM": {statement: func(s *signing.Statement) { s.PredicateType = "https://spdx.dev/Document" },
			problem: Attestation, want: "an attestation of https://spdx.dev/Document, not a signature"},
		"a scan, in an older statement": {statement: func(s *signing.Statement) {
			s.Type, s.PredicateType = "https://in-toto.io/Statement/v0.1", "https://cosign.sigstore.dev/attestation/vuln/v1"
		}, problem: Attestation, want: "an attestation of https://cosign.sigstore.dev/attestation/vuln/v1, not a signature"},
		"a provenance": {statement: func(s *signing.Statement) { s.PredicateType = signing.Provenance },
			problem: Attestation, want: "an attestation of https://slsa.dev/provenance/v1, not a signature"},
		"an older statement": {statement: func(s *signing.Statement) { s.Type = "https://in-toto.io/Statement/v0.1" },
			problem: Malformed, want: `statement: _type: "https://in-toto.io/Statement/v0.1", not https://in-toto.io/Statement/v1`},
		"no subject": {statement: func(s *signing.Statement) { s.Subject = nil },
			problem: Malformed, want: "statement: subject: not a list"},
		"a digest with its prefix": {statement: func(s *signing.Statement) { s.Subject[0].Digest["sha256"] = manifest },
			problem: Malformed, want: `statement: subject[0].digest.sha256: "` + manifest + `" is not 64 hexadecimal digits`},
		"a digest in upper case": {statement: func(s *signing.Statement) { s.Subject[0].Digest["sha256"] = strings.Repeat("2B", 32) },
			problem: Malformed, want: `statement: subject[0].digest.sha256: "` + strings.Repeat("2B", 32) + `" is not 64 hexadecimal digits`},
	} {
		s := signing.CosignStatement(manifest)
		if test.statement != nil {
			test.statement(&s)
		}
		b := signing.SignBundle(s.JSON(), signer)
		if test.bundle != nil {
			test.bundle(&b)
		}
		text := string(b.JSON())
		if test.text != nil {
			text = test.text(text)
		}
		v, err := VerifyBundle([]byte(text), public(t, signer))
		checkError(t, name, err, test.problem, test.want)
		if err == nil && len(v.Subjects) != len(s.Subject) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

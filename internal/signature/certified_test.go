package signature

import (
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
)

// certified returns a bundle with a certificate.
func certified(payload []byte) signing.Bundle {
	b := signing.SignBundle(payload, signer)
	b.Material = map[string]any{
		"certificate": map[string]any{"rawBytes": "AAAA"}, "tlogEntries": []any{}, "timestampVerificationData": map[string]any{},
	}
	return b
}

func TestReadCertified(t *testing.T) {
	payload := "not a statement: it is not verified, so nobody reads it"
	key := map[string]any{"hint": ""}
	for name, test := range map[string]struct {
		change  func(*signing.Bundle)
		problem Problem
		want    string
	}{
		"right":               {},
		"another's signature": {change: func(b *signing.Bundle) { b.Envelope.Signatures[0].Sig = signing.Base64([]byte("x")) }},

		"a key": {change: func(b *signing.Bundle) { b.Material = map[string]any{"publicKey": key} },
			problem: Foreign, want: "signed with a key, not with a certificate"},
		"a key too": {change: func(b *signing.Bundle) { b.Material["publicKey"] = key },
			problem: Malformed, want: "bundle: verificationMaterial.certificate: not the only proof of who signed"},
		"a chain": {change: func(b *signing.Bundle) {
			delete(b.Material, "certificate")
			b.Material["x509CertificateChain"] = map[string]any{}
		}, problem: Unsupported, want: "a bundle with a chain of certificates is not supported yet: only with one certificate"},
		"a chain too": {change: func(b *signing.Bundle) { b.Material["x509CertificateChain"] = map[string]any{} },
			problem: Malformed, want: "bundle: verificationMaterial.certificate: not the only proof of who signed"},
		"nothing": {change: func(b *signing.Bundle) { delete(b.Material, "certificate") },
			problem: Malformed, want: "bundle: verificationMaterial.certificate: missing"},
		"no object": {change: func(b *signing.Bundle) { b.Material["certificate"] = "AAAA" },
			problem: Malformed, want: "bundle: verificationMaterial.certificate: not an object"},
		"tlog_entries": {change: func(b *signing.Bundle) { b.Material["tlog_entries"] = []any{} },
			problem: Malformed, want: "bundle: verificationMaterial.tlog_entries: unknown field"},
		"version 0.2": {change: func(b *signing.Bundle) { b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2" },
			problem: Unsupported, want: "a bundle of type application/vnd.dev.sigstore.bundle+json;version=0.2 is not supported yet: only version 0.3"},
		"a messageSignature": {change: func(b *signing.Bundle) { b.MessageSignature = map[string]any{"signature": ""} },
			problem: Unsupported, want: "a bundle with a messageSignature is not supported yet: only with a dsseEnvelope"},
		"two signatures": {change: func(b *signing.Bundle) {
			b.Envelope.Signatures = append(b.Envelope.Signatures, b.Envelope.Signatures[0])
		}, problem: Malformed, want: "bundle: dsseEnvelope.signatures: 2 signatures, not one"},
		"another type": {change: func(b *signing.Bundle) { b.Envelope.PayloadType = "text/plain" },
			problem: Malformed, want: `bundle: dsseEnvelope.payloadType: "text/plain", not application/vnd.in-toto+json`},
		"too large": {change: func(b *signing.Bundle) { b.Envelope.Payload = strings.Repeat("A", MaxSize) },
			problem: Malformed, want: "bundle: larger than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			b := certified([]byte(payload))
			if test.change != nil {
				test.change(&b)
			}
			got, err := ReadCertified(b.JSON())
			if test.want == "" && (err != nil || string(got) != payload) {
				t.Errorf("%q, %v", got, err)
			}
			if test.want != "" {
				checkProblem(t, err, test.problem, test.want)
			}
		})
	}
}

func checkProblem(t *testing.T, err error, problem Problem, want string) {
	t.Helper()
	var got *Error
	if !errors.As(err, &got) || got.Problem != problem || got.Format != Bundle || err.Error() != want {
		t.Errorf("%#v, not %s", err, want)
	}
}

func TestReadStatement(t *testing.T) {
	provenance := signing.CosignStatement(manifest)
	provenance.PredicateType = signing.Provenance
	list := signing.CosignStatement(manifest)
	list.PredicateType = "https://spdx.dev/Document"
	for name, test := range map[string]struct {
		statement  signing.Statement
		provenance bool
		want       string
	}{
		"cosign's":               {signing.CosignStatement(manifest), false, ""},
		"cosign's of a workflow": {signing.CosignStatement(manifest), true, ""},
		"provenance":             {provenance, true, ""},
		"provenance of another":  {provenance, false, "an attestation of https://slsa.dev/provenance/v1, not a signature"},
		"a list of contents":     {list, true, "an attestation of https://spdx.dev/Document, not a signature"},
	} {
		payload := test.statement.JSON()
		v, err := ReadStatement(payload, test.provenance)
		if test.want != "" {
			checkProblem(t, err, Attestation, test.want)
			continue
		}
		if err != nil || v.Format != Bundle || v.Key != nil || string(v.Payload) != string(payload) ||
			v.PredicateType != test.statement.PredicateType || len(v.Subjects) != 1 || v.Subjects[0].Digest != ociref.Digest(manifest) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	_, err := ReadStatement([]byte(`{"predicateType":""}`), true)
	checkProblem(t, err, Malformed, "statement: predicateType: not https://sigstore.dev/cosign/sign/v1 or https://slsa.dev/provenance/v1")
	_, err = ReadStatement(make([]byte, MaxSize+1), true)
	checkProblem(t, err, Malformed, "payload: larger than 1048576 bytes")
}

// Provenance is no signature of a key, whoever allows it for workflows.
func TestProvenanceByKey(t *testing.T) {
	s := signing.CosignStatement(manifest)
	s.PredicateType = signing.Provenance
	_, err := VerifyBundle(signing.SignBundle(s.JSON(), signer).JSON(), public(t, signer))
	checkProblem(t, err, Attestation, "an attestation of https://slsa.dev/provenance/v1, not a signature")
}

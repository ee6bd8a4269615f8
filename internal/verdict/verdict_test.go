package verdict_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
)

const repository = "reg.example/acme/a"

var (
	first   = signing.Ed25519(1)
	second  = signing.P256(2)
	foreign = signing.Ed25519(3)

	layer = []byte("the bytes of a pack")
)

func digestOf(data []byte) string { return ociref.DigestOf(data).String() }

// packOf is a pack whose manifest has annotations.
func packOf(t *testing.T, annotations map[string]string) verdict.Pack {
	t.Helper()
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": packtest.ManifestMediaType, "annotations": annotations,
		"layers": []any{map[string]any{"mediaType": packtest.PackMediaType, "digest": digestOf(layer), "size": len(layer)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := ociref.Parse(repository + ":1")
	if err != nil {
		t.Fatal(err)
	}
	return verdict.Pack{
		Reference: ref, Manifest: manifest, Annotations: annotations,
		Claim: evidence.Claim{
			Manifest: ociref.DigestOf(manifest), Layer: ociref.DigestOf(layer), Size: int64(len(layer)), MediaType: packtest.PackMediaType,
		},
	}
}

func signerOf(t *testing.T, name string, key *signing.Key) *trust.Signer {
	t.Helper()
	parsed, err := publickey.ParseSPKI(key.SPKI())
	if err != nil {
		t.Fatal(err)
	}
	return &trust.Signer{Name: name, Key: parsed}
}

// bundle is a candidate by a key about a digest.
func bundle(key *signing.Key, digest, name string) referrers.Candidate {
	s := signing.CosignStatement(digest)
	s.Subject[0].Name = name
	return referrers.Candidate{
		Format: signature.Bundle, Artifact: ociref.DigestOf([]byte(name + digest)), MediaType: signing.BundleMediaType,
		Payload: signing.SignBundle(s.JSON(), key).JSON(),
	}
}

func simple(key *signing.Key, digest string) referrers.Candidate {
	payload := signing.NewSimple("", digest).JSON()
	return referrers.Candidate{
		Format: signature.Simple, Artifact: ociref.DigestOf(payload), Payload: payload,
		Annotations: map[string]string{"dev.cosignproject.cosign/signature": signing.Base64(key.Sign(payload))},
	}
}

// The order of the rule's signers decides, then that of the candidates.
func TestChoice(t *testing.T) {
	pack := packOf(t, nil)
	of := pack.Claim.Manifest.String()
	both := []*trust.Signer{signerOf(t, "first", first), signerOf(t, "second", second)}
	for name, test := range map[string]struct {
		candidates []referrers.Candidate
		want       int // which
		signer     string
		asked      int // how many were judged
	}{
		"the first signer ends it":      {[]referrers.Candidate{bundle(first, of, ""), bundle(first, of, "x")}, 0, "first", 1},
		"an invalid one ends nothing":   {[]referrers.Candidate{bundle(foreign, of, ""), bundle(first, of, "")}, 1, "first", 2},
		"the first signer is preferred": {[]referrers.Candidate{bundle(second, of, ""), simple(first, of)}, 1, "first", 2},
		"then the place":                {[]referrers.Candidate{bundle(second, of, ""), simple(second, of)}, 0, "second", 2},
	} {
		t.Run(name, func(t *testing.T) {
			j := verdict.New(pack, both)
			asked := 0
			for _, c := range test.candidates {
				asked++
				if j.Judge(c) {
					break
				}
			}
			found, err := j.Result(&referrers.Complete{})
			if err != nil {
				t.Fatal(err)
			}
			c := test.candidates[test.want]
			if found.Signer.Name != test.signer || asked != test.asked || string(found.Evidence.Bundle)+string(found.Evidence.Payload) != string(c.Payload) {
				t.Errorf("got %s with %d asked: %s", found.Signer.Name, asked, found.File)
			}
			read, err := evidence.Open(found.File, evidence.Digest(found.File))
			if err != nil {
				t.Fatal(err)
			}
			claim := pack.Claim
			claim.Signer = found.Signer.ID()
			if _, err := read.Prove(claim, []evidence.Signer{verdict.Signer(found.Signer, pack.Reference, nil)}); err != nil {
				t.Error(err)
			}
		})
	}
}

// A candidate that does not count says why.
func TestVerdicts(t *testing.T) {
	plain := packOf(t, nil)
	of := plain.Claim.Manifest.String()
	other := digestOf([]byte("another manifest"))
	old := bundle(first, of, "")
	old.MediaType = "application/vnd.dev.sigstore.bundle.v0.2+json"
	sbom := signing.CosignStatement(of)
	sbom.PredicateType = "https://spdx.dev/Document"
	attested := bundle(first, of, "")
	attested.Payload = signing.SignBundle(sbom.JSON(), first).JSON()
	certified := simple(first, of)
	certified.Annotations["dev.sigstore.cosign/certificate"] = "-----BEGIN CERTIFICATE-----"
	for name, test := range map[string]struct {
		candidate referrers.Candidate
		want      string
	}{
		"foreign":     {bundle(foreign, of, ""), "no allowed key signed it"},
		"subject":     {bundle(first, other, ""), "signed by first, but it is about " + other + ", not about the manifest " + of},
		"repository":  {bundle(first, of, "reg.example/acme/b"), "signed by first, but it names reg.example/acme/b, another repository"},
		"version":     {old, "a bundle of type application/vnd.dev.sigstore.bundle.v0.2+json is not supported yet"},
		"attestation": {attested, "an attestation of https://spdx.dev/Document, not a signature"},
		"certificate": {certified, "signed with a certificate: that is not supported in the format of cosign 2"},
		"format":      {referrers.Candidate{Format: "x"}, `format "x" is not supported`},
	} {
		t.Run(name, func(t *testing.T) {
			j := verdict.New(plain, []*trust.Signer{signerOf(t, "first", first)})
			if j.Judge(test.candidate) {
				t.Fatal("it ended the search")
			}
			_, err := j.Result(&referrers.Complete{})
			var unsigned *verdict.UnsignedError
			if !errors.As(err, &unsigned) || len(unsigned.Verdicts) != 1 || !strings.HasSuffix(unsigned.Verdicts[0], ": "+test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// An envelope that fails for one of the allowed keys fails, also where another one signed it.
func TestAllKeysTogether(t *testing.T) {
	envelope := signing.Sign(signing.GreenticStatement("a.gtpack", digestOf(layer)).JSON(), first, foreign)
	envelope.Signatures[1].Sig = "no base64"
	pack := packOf(t, map[string]string{signing.DSSEAnnotation: envelope.Annotation()})
	c := referrers.Candidate{Format: signature.Greentic, Payload: []byte(envelope.Annotation())}
	if alone := verdict.New(pack, []*trust.Signer{signerOf(t, "first", first)}); !alone.Judge(c) {
		t.Error("it fails for a key that may not sign")
	}
	both := verdict.New(pack, []*trust.Signer{signerOf(t, "first", first), signerOf(t, "foreign", foreign)})
	if both.Judge(c) {
		t.Error("it does not fail for a key that may sign")
	}
}

// Of an envelope with two signatures, the first signer of the rule is taken.
func TestTwoSignatures(t *testing.T) {
	value := signing.Sign(signing.GreenticStatement("a.gtpack", digestOf(layer)).JSON(), foreign, first).Annotation()
	pack := packOf(t, map[string]string{signing.DSSEAnnotation: value})
	j := verdict.New(pack, []*trust.Signer{signerOf(t, "first", first), signerOf(t, "foreign", foreign)})
	if !j.Judge(referrers.Candidate{Format: signature.Greentic, Payload: []byte(value)}) {
		t.Fatal("no signature")
	}
	if found, _ := j.Result(&referrers.Stopped{}); found.Signer.Name != "first" {
		t.Errorf("got %s", found.Signer.Name)
	}
}

// The end of the search says what it means that nothing was found.
func TestNothing(t *testing.T) {
	pack := packOf(t, map[string]string{"org.opencontainers.image.created": "2026-11-30T09:00:00+01:00"})
	j := verdict.New(pack, []*trust.Signer{signerOf(t, "first", first), signerOf(t, "second", second)})
	_, err := j.Result(&referrers.Complete{})
	want := "no signature yet; published 2026-11-30T08:00:00Z; publishers sign after pushing: try again later, or take an older version"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	incomplete := referrers.Search(t.Context(), registry.New(registry.Options{}), referrers.Subject{Manifest: pack.Manifest}, func() []ociref.Reference { return nil }, j.Judge)
	_, err = j.Result(incomplete)
	want = "not fully searched for signatures\n\tlooked at the manifest's annotation dev.greentic.dsse: nothing\n\tlooked at no repository was searched"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	j.Judge(bundle(foreign, pack.Claim.Manifest.String(), ""))
	_, err = j.Result(&referrers.Complete{})
	var unsigned *verdict.UnsignedError
	if !errors.As(err, &unsigned) || !strings.HasPrefix(err.Error(), "none of the candidates is a signature by first or second\n\tsigstore-bundle in sha256:") {
		t.Errorf("got %v", err)
	}
}

// A program is what verifies signatures without a key in these tests: by the name of a signer,
// why a bundle is not theirs. Others are.
type program map[string]error

func (p program) of(s *trust.Signer) evidence.Keyless { return asked{p[s.Name]} }

type asked struct{ err error }

func (a asked) VerifyBundle(bundle []byte, _ ociref.Digest) ([]byte, error) {
	if a.err != nil {
		return nil, a.err
	}
	return signature.ReadCertified(bundle)
}

func person(name string) *trust.Signer {
	return &trust.Signer{Name: name, Account: &trust.Account{Issuer: "https://login.example.com", Identity: name}}
}

func TestKeyless(t *testing.T) {
	pack := packOf(t, nil)
	signed := signing.SignBundle(signing.CosignStatement(pack.Claim.Manifest.String()).JSON(), first)
	signed.Material = map[string]any{"certificate": map[string]any{"rawBytes": "AAAA"}}
	c := referrers.Candidate{Format: signature.Bundle, MediaType: signature.BundleMediaType, Payload: signed.JSON()}
	foreign := &signature.Error{Format: signature.Bundle, Problem: signature.Foreign, Reason: "somebody else"}
	invalid := &signature.Error{Format: signature.Bundle, Problem: signature.Invalid, Reason: "no good"}
	key := signerOf(t, "key", first)
	for name, test := range map[string]struct {
		program program
		signers []*trust.Signer
		signer  string // who signed
		want    string // or else the error
		open    bool   // the error leaves open who signed
	}{
		"one":         {program{}, []*trust.Signer{key, person("ann")}, "ann", "", false},
		"second":      {program{"ann": foreign}, []*trust.Signer{person("ann"), person("bob")}, "bob", "", false},
		"none":        {program{"ann": foreign, "bob": foreign}, []*trust.Signer{person("ann"), key, person("bob")}, "", "not by ann: somebody else; not by bob: somebody else", false},
		"invalid":     {program{"ann": invalid, "bob": invalid}, []*trust.Signer{person("ann"), person("bob")}, "", "no good", false},
		"no program":  {program{"ann": &keyless.NotFoundError{}}, []*trust.Signer{person("ann")}, "", "packvendor-verify-sigstore, which verifies signatures without a key, is not installed or not in PATH", true},
		"no verifier": {nil, []*trust.Signer{person("ann")}, "", "signed with a certificate, not with a key", false},
		"keys alone":  {program{}, []*trust.Signer{key}, "", "signed with a certificate, not with a key", false},
	} {
		t.Run(name, func(t *testing.T) {
			pack := pack
			if test.program != nil {
				pack.Keyless = test.program.of
			}
			found, err := verdict.Prove(pack, test.signers, c)
			j := verdict.New(pack, test.signers)
			j.Judge(c)
			_, result := j.Result(&referrers.Complete{})
			var unverified *verdict.UnverifiedError
			switch {
			case test.signer != "":
				if err != nil || result != nil || found.Signer.Name != test.signer || found.Evidence.Key != nil {
					t.Errorf("%+v, %v, %v", found, err, result)
				}
			case err == nil || err.Error() != test.want || errors.As(result, &unverified) != test.open:
				t.Errorf("%v, %v", err, result)
			}
		})
	}
}

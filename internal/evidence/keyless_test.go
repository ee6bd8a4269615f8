package evidence

import (
	"errors"
	"fmt"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/signature"
)

const person = "https://login.example.com#release@example.com"

// keyless returns a pack that somebody without a key signed: the digest that about returns,
// under a name.
func keyless(withIndex bool, about func(*pack) string, change func(*signing.Statement)) *pack {
	p := signed(signature.Bundle, signer, withIndex)
	s := signing.CosignStatement(about(p))
	if change != nil {
		change(&s)
	}
	b := signing.SignBundle(s.JSON(), signer)
	b.Material = map[string]any{"certificate": map[string]any{"rawBytes": "AAAA"}}
	p.evidence.Bundle, p.evidence.Key, p.claim.Signer = b.JSON(), nil, person
	return p
}

func aboutManifest(p *pack) string { return digestOf(p.manifest) }
func aboutIndex(p *pack) string    { return digestOf(p.index) }

// A judge is a Keyless that finds bundles valid about one digest.
type judge struct {
	valid   string
	payload []byte
	failure error // of another kind
	asked   []ociref.Digest
}

func (j *judge) VerifyBundle(bundle []byte, about ociref.Digest) ([]byte, error) {
	j.asked = append(j.asked, about)
	switch {
	case j.failure != nil:
		return nil, j.failure
	case about.String() != j.valid:
		return nil, &signature.Error{Format: signature.Bundle, Problem: signature.Invalid, Reason: "not about " + about.String()}
	}
	return j.payload, nil
}

// judgeOf returns one that finds a pack's bundle valid about what about returns.
func judgeOf(t *testing.T, p *pack, about func(*pack) string) *judge {
	t.Helper()
	payload, err := signature.ReadCertified(p.evidence.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	return &judge{valid: about(p), payload: payload}
}

func (j *judge) signer(t *testing.T) Signer {
	t.Helper()
	s := signers(t, signer)[0]
	s.Key, s.ID, s.Keyless = nil, person, j
	return s
}

func TestProveKeyless(t *testing.T) {
	for name, test := range map[string]struct {
		index bool
		about func(*pack) string
		asked int
	}{
		"a manifest":             {false, aboutManifest, 1},
		"an index":               {true, aboutIndex, 1},
		"a manifest in an index": {true, aboutManifest, 2},
	} {
		p := keyless(test.index, test.about, nil)
		j := judgeOf(t, p, test.about)
		v, err := p.prove(t, append(signers(t, signer), j.signer(t)))
		if err != nil || v.Key != nil || v.Format != signature.Bundle || v.PredicateType != signing.CosignSign || string(v.Payload) != string(j.payload) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if len(j.asked) != test.asked {
			t.Errorf("%s: asked about %v", name, j.asked)
		}
	}
}

// Provenance is a signature only of those who may give it.
func TestProveProvenance(t *testing.T) {
	p := keyless(false, aboutManifest, func(s *signing.Statement) { s.PredicateType = signing.Provenance })
	s := judgeOf(t, p, aboutManifest).signer(t)
	_, err := p.prove(t, []Signer{s})
	check(t, "provenance", err, Signature, "an attestation of https://slsa.dev/provenance/v1, not a signature")
	s.Provenance = true
	if v, err := p.prove(t, []Signer{s}); err != nil || v.PredicateType != signing.Provenance {
		t.Errorf("%+v, %v", v, err)
	}
}

// Each link that is forged breaks, before anybody is asked where that is possible.
func TestForgedKeyless(t *testing.T) {
	broken := errors.New("the program is broken")
	for name, test := range map[string]struct {
		pack  *pack
		forge func(*pack, *judge, *Signer)
		link  Link
		want  func(*pack) string
		asked int
	}{
		"another layer": {keyless(false, aboutManifest, nil), func(p *pack, _ *judge, _ *Signer) { p.claim.Layer = ociref.DigestOf(nil) }, Layer,
			func(p *pack) string {
				return fmt.Sprintf("its manifest selects the layer %s, not %s", digestOf(p.layer), digestOf(nil))
			}, 0},
		"another signer": {keyless(false, aboutManifest, nil), func(_ *pack, _ *judge, s *Signer) { s.ID = "https://login.example.com#other" }, Key,
			func(*pack) string { return person + " may not sign it" }, 0},
		"a signer in the lock that nobody lists": {keyless(false, aboutManifest, nil), func(p *pack, _ *judge, _ *Signer) { p.claim.Signer = "a\nb" }, Key,
			func(*pack) string { return `"a\nb" may not sign it` }, 0},
		"nobody": {keyless(false, aboutManifest, nil), func(p *pack, _ *judge, s *Signer) { p.claim.Signer, s.ID = "", "" }, Key,
			func(*pack) string { return " may not sign it" }, 0},
		"a key in the lock": {keyless(false, aboutManifest, nil), func(p *pack, _ *judge, _ *Signer) { p.claim.Signer = signer.Identity() }, Key,
			func(*pack) string { return "it holds no key, not " + signer.Identity() }, 0},
		"a bundle with a key": {keyless(false, aboutManifest, nil), func(p *pack, _ *judge, _ *Signer) {
			p.evidence.Bundle = signing.SignBundle(signing.CosignStatement(digestOf(p.manifest)).JSON(), signer).JSON()
		}, Signature, func(*pack) string { return "signed with a key, not with a certificate" }, 0},
		"about another digest": {keyless(true, aboutManifest, nil), func(_ *pack, j *judge, _ *Signer) { j.valid = digestOf(nil) }, Signature,
			func(p *pack) string { return "not about " + digestOf(p.manifest) }, 2},
		"no verdict": {keyless(true, aboutManifest, nil), func(_ *pack, j *judge, _ *Signer) { j.failure = broken }, Signature,
			func(*pack) string { return "the program is broken" }, 1},
		"somebody else about the index": {keyless(true, aboutIndex, nil), func(_ *pack, j *judge, _ *Signer) {
			j.failure = &signature.Error{Format: signature.Bundle, Problem: signature.Foreign, Reason: "signed by somebody else"}
		}, Signature, func(*pack) string { return "signed by somebody else" }, 1},
		"another payload": {keyless(false, aboutManifest, nil), func(_ *pack, j *judge, _ *Signer) { j.payload = append(j.payload, ' ') }, Signature,
			func(*pack) string { return "the program that verified it read another payload" }, 1},
		"no payload": {keyless(false, aboutManifest, nil), func(_ *pack, j *judge, _ *Signer) { j.payload = nil }, Signature,
			func(*pack) string { return "the program that verified it read another payload" }, 1},
		"a lie about the digest": {keyless(false, func(*pack) string { return digestOf(nil) }, nil), func(p *pack, j *judge, _ *Signer) { j.valid = digestOf(p.manifest) }, Subject,
			func(p *pack) string {
				return "it is about " + digestOf(nil) + ", not about the manifest " + digestOf(p.manifest)
			}, 1},
		"another repository": {keyless(false, aboutManifest, func(s *signing.Statement) { s.Subject[0].Name = "reg.example/acme/b" }), func(*pack, *judge, *Signer) {}, Name,
			func(*pack) string { return "it names reg.example/acme/b, another repository" }, 1},
		"a list of contents": {keyless(false, aboutManifest, func(s *signing.Statement) { s.PredicateType = "https://spdx.dev/Document" }), func(_ *pack, _ *judge, s *Signer) { s.Provenance = true }, Signature,
			func(*pack) string { return "an attestation of https://spdx.dev/Document, not a signature" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			j := judgeOf(t, test.pack, aboutManifest)
			s := j.signer(t)
			test.forge(test.pack, j, &s)
			v, err := test.pack.prove(t, append(signers(t, signer), s))
			check(t, name, err, test.link, test.want(test.pack))
			if v != nil || len(j.asked) != test.asked {
				t.Errorf("%+v, asked about %v", v, j.asked)
			}
			if j.failure != nil && !errors.Is(err, j.failure) {
				t.Errorf("%#v", err)
			}
		})
	}
}

// Where nobody can verify a bundle, all before the signature is proved.
func TestErrKeyless(t *testing.T) {
	p := keyless(false, aboutManifest, nil)
	s := judgeOf(t, p, aboutManifest).signer(t)
	s.Keyless = nil
	_, err := p.prove(t, []Signer{s})
	check(t, "keyless", err, Signature, "signed without a key, and nothing says by whom to verify that")
	if !errors.Is(err, ErrKeyless) {
		t.Errorf("%#v", err)
	}
	p.claim.Layer = ociref.DigestOf(nil)
	_, err = p.prove(t, []Signer{s})
	check(t, "another layer", err, Layer, "its manifest selects the layer "+digestOf(p.layer)+", not "+digestOf(nil))
}

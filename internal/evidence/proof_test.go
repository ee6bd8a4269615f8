package evidence

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/signature"
)

var formats = []signature.Format{signature.Greentic, signature.Bundle, signature.Simple}

// Each format is proved with each kind of key that it knows, found by a manifest or by an
// index.
func TestProve(t *testing.T) {
	for _, format := range formats {
		for _, key := range []*signing.Key{signing.Ed25519(1), signing.P256(1), signing.RSA(1, 2048, 65537)} {
			if format == signature.Greentic && key.GreenticID() == "" {
				continue
			}
			for _, withIndex := range []bool{false, true} {
				p := signed(format, key, withIndex)
				v, err := p.prove(t, signers(t, foreign, key))
				if err != nil || v.Key.Identity() != key.Identity() || v.Format != format {
					t.Errorf("%s: %+v, %v", format, v, err)
				}
			}
		}
	}
	// A signature may also be about the index.
	for _, format := range formats[1:] {
		p := signed(format, signer, true)
		p.sign(signer, digestOf(p.index), ours)
		if _, err := p.prove(t, signers(t, signer)); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// Each field of packs.lock that is forged breaks a link, in every format.
func TestForgedClaim(t *testing.T) {
	other := ociref.DigestOf([]byte("other"))
	for name, test := range map[string]struct {
		forge func(*Claim)
		link  Link
		want  func(p *pack) string
	}{
		"signer": {func(c *Claim) { c.Signer = foreign.Identity() }, Key,
			func(*pack) string { return "it holds " + signer.Identity() + ", not " + foreign.Identity() }},
		"signer, keyless": {func(c *Claim) { c.Signer = "https://login.example.com#a b" }, Key,
			func(*pack) string { return "it holds " + signer.Identity() + `, not "https://login.example.com#a b"` }},
		"manifest": {func(c *Claim) { c.Manifest = other }, Manifest,
			func(p *pack) string { return fmt.Sprintf("its manifest is %s, not %s", digestOf(p.manifest), other) }},
		"index": {func(c *Claim) { c.Index = other }, Index,
			func(p *pack) string { return fmt.Sprintf("its image index is %s, not %s", digestOf(p.index), other) }},
		"no index": {func(c *Claim) { c.Index = "" }, Index,
			func(*pack) string { return "it holds an image index, but the pack was found without one" }},
		"layer": {func(c *Claim) { c.Layer = other }, Layer,
			func(p *pack) string {
				return fmt.Sprintf("its manifest selects the layer %s, not %s", digestOf(p.layer), other)
			}},
		"size": {func(c *Claim) { c.Size++ }, Layer,
			func(*pack) string { return "its manifest selects a layer of 19 bytes, not 20" }},
		"media type": {func(c *Claim) { c.MediaType = "text/markdown" }, Layer,
			func(*pack) string {
				return "its manifest selects a layer of type application/vnd.greentic.gtpack.v1+zip, not text/markdown"
			}},
		"selection": {func(c *Claim) { c.Select = "text/markdown" }, Layer,
			func(p *pack) string {
				return `its manifest selects no pack: no layer is "text/markdown" ("application/vnd.greentic.gtpack.v1+zip" ` + digestOf(p.layer) + ")"
			}},
	} {
		for _, format := range formats {
			p := signed(format, signer, true)
			test.forge(&p.claim)
			_, err := p.prove(t, signers(t, signer, foreign))
			check(t, name+", "+string(format), err, test.link, test.want(p))
		}
	}
}

// Each field of the evidence that is forged breaks a link.
func TestForgedEvidence(t *testing.T) {
	bigger := func(p *pack) []byte { return append(p.manifest, ' ') }
	for name, test := range map[string]struct {
		format signature.Format
		index  bool
		forge  func(*pack)
		link   Link
		want   func(p *pack) string
	}{
		"another key": {signature.Simple, false, func(p *pack) { p.evidence.Key = foreign.SPKI() }, Key,
			func(*pack) string { return "it holds " + foreign.Identity() + ", not " + signer.Identity() }},
		"no key at all": {signature.Bundle, false, func(p *pack) { p.evidence.Key = []byte("key") }, Key,
			func(*pack) string { return "its key: not a public key: no SubjectPublicKeyInfo in DER" }},
		"the key left out": {signature.Bundle, false, func(p *pack) { p.evidence.Key = nil }, Key,
			func(*pack) string { return "it holds no key, not " + signer.Identity() }},
		"another key and the lock too": {signature.Bundle, false, func(p *pack) {
			p.evidence.Key, p.claim.Signer = signing.Ed25519(3).SPKI(), signing.Ed25519(3).Identity()
		}, Key, func(*pack) string { return signing.Ed25519(3).Identity() + " may not sign it" }},
		"an allowed key that did not sign": {signature.Bundle, false, func(p *pack) {
			p.evidence.Key, p.claim.Signer = foreign.SPKI(), foreign.Identity()
		}, Signature, func(*pack) string { return "no allowed key signed it" }},
		"another manifest": {signature.Greentic, false, func(p *pack) { p.evidence.Manifest = bigger(p) }, Manifest,
			func(p *pack) string {
				return fmt.Sprintf("its manifest is %s, not %s", digestOf(bigger(p)), digestOf(p.manifest))
			}},
		"another index": {signature.Simple, true, func(p *pack) { p.evidence.Index = indexOf() }, Index,
			func(p *pack) string {
				return fmt.Sprintf("its image index is %s, not %s", digestOf(indexOf()), digestOf(p.index))
			}},
		"the index left out": {signature.Simple, true, func(p *pack) { p.evidence.Index = nil }, Index,
			func(p *pack) string { return "it holds no image index, but the pack was found by " + digestOf(p.index) }},
		"an index too many": {signature.Simple, false, func(p *pack) { p.evidence.Index = indexOf() }, Index,
			func(*pack) string { return "it holds an image index, but the pack was found without one" }},
		"a signed index with a foreign manifest": {signature.Bundle, true, func(p *pack) {
			p.index = indexOf(descriptor([]byte("foreign"), packtest.ManifestMediaType, nil))
			p.evidence.Index, p.claim.Index = p.index, ociref.DigestOf(p.index)
			p.sign(signer, digestOf(p.index), "")
		}, Index, func(p *pack) string {
			return "the image index lists manifest " + digestOf(p.manifest) + " 0 times, not once"
		}},
		"a signed index with it as an attestation": {signature.Bundle, true, func(p *pack) {
			p.index = indexOf(descriptor(p.manifest, packtest.ManifestMediaType, map[string]string{"vnd.docker.reference.type": "attestation-manifest"}))
			p.evidence.Index, p.claim.Index = p.index, ociref.DigestOf(p.index)
			p.sign(signer, digestOf(p.index), "")
		}, Index, func(p *pack) string {
			return "the image index lists manifest " + digestOf(p.manifest) + " as an attestation"
		}},
		"a signature about an index that the lock has not": {signature.Bundle, false, func(p *pack) {
			p.sign(signer, digestOf(indexOf(descriptor(p.manifest, packtest.ManifestMediaType, nil))), "")
		}, Subject, func(p *pack) string {
			return "it is about " + digestOf(indexOf(descriptor(p.manifest, packtest.ManifestMediaType, nil))) + ", not about the manifest " + digestOf(p.manifest)
		}},
		"a foreign signature": {signature.Bundle, false, func(p *pack) { p.sign(foreign, digestOf(p.manifest), "") }, Signature,
			func(*pack) string { return "no allowed key signed it" }},
		"a foreign signature, older": {signature.Simple, false, func(p *pack) { p.evidence.Signature = foreign.Sign(p.evidence.Payload) }, Signature,
			func(*pack) string { return "no allowed key signed it" }},
		"another payload": {signature.Simple, false, func(p *pack) { p.evidence.Payload = signing.NewSimple("", digestOf(nil)).JSON() }, Signature,
			func(*pack) string { return "no allowed key signed it" }},
		"a certificate": {signature.Bundle, false, func(p *pack) {
			b := signing.SignBundle(signing.CosignStatement(digestOf(p.manifest)).JSON(), signer)
			b.Material = map[string]any{"certificate": map[string]any{}}
			p.evidence.Bundle = b.JSON()
		}, Signature, func(*pack) string { return "signed with a certificate, not with a key" }},
		"an attestation": {signature.Bundle, false, func(p *pack) {
			s := signing.CosignStatement(digestOf(p.manifest))
			s.PredicateType = "https://spdx.dev/Document"
			p.evidence.Bundle = signing.SignBundle(s.JSON(), signer).JSON()
		}, Signature, func(*pack) string { return "an attestation of https://spdx.dev/Document, not a signature" }},
		"a bundle that names the layer": {signature.Bundle, false, func(p *pack) { p.sign(signer, digestOf(p.layer), "") }, Subject,
			func(p *pack) string {
				return "it is about " + digestOf(p.layer) + ", not about the manifest " + digestOf(p.manifest)
			}},
		"a payload that names the layer": {signature.Simple, true, func(p *pack) { p.sign(signer, digestOf(p.layer), "") }, Subject,
			func(p *pack) string {
				return "it is about " + digestOf(p.layer) + ", not about the manifest " + digestOf(p.manifest) + " or the image index " + digestOf(p.index)
			}},
		"a DSSE that names the manifest": {signature.Greentic, false, func(p *pack) {
			p.wrap(signing.Sign(signing.GreenticStatement("a.gtpack", digestOf([]byte("a manifest"))).JSON(), signer).Annotation())
		}, Subject, func(p *pack) string {
			return "it is about " + digestOf([]byte("a manifest")) + ", not about the layer " + digestOf(p.layer)
		}},
		"a manifest without an envelope": {signature.Greentic, false, func(p *pack) { p.rewrap(map[string]string{"Dev.greentic.dsse": "x"}) }, Signature,
			func(*pack) string { return "its manifest has no annotation dev.greentic.dsse" }},
		"a manifest with a malformed one": {signature.Greentic, false, func(p *pack) { p.wrap("") }, Signature,
			func(*pack) string { return "envelope: not JSON: unexpected EOF" }},
		"a foreign envelope": {signature.Greentic, false, func(p *pack) {
			p.wrap(signing.Sign(signing.GreenticStatement("a.gtpack", digestOf(p.layer)).JSON(), foreign).Annotation())
		}, Signature, func(*pack) string { return "no allowed key signed it: it names key " + foreign.GreenticID() }},
		"a bundle in the manifest's place": {signature.Bundle, false, func(p *pack) {
			p.evidence.Manifest = p.evidence.Bundle
			p.claim.Manifest = ociref.DigestOf(p.evidence.Manifest)
		}, Layer, func(*pack) string {
			return "its manifest selects no pack: packs are not read from manifests of type \"application/vnd.dev.sigstore.bundle.v0.3+json\""
		}},
		"a subject of another repository": {signature.Bundle, false, func(p *pack) { p.sign(signer, digestOf(p.manifest), "reg.example/acme/b") }, Name,
			func(*pack) string { return "it names reg.example/acme/b, another repository" }},
		"a payload of another repository": {signature.Simple, false, func(p *pack) { p.sign(signer, digestOf(p.manifest), "reg.example/acme/b:1") }, Name,
			func(*pack) string { return "it names reg.example/acme/b:1, another repository" }},
		"a payload of no repository": {signature.Simple, false, func(p *pack) { p.sign(signer, digestOf(p.manifest), "a\nb") }, Name,
			func(*pack) string { return `it names "a\nb", another repository` }},
		"only things without SHA-256": {signature.Bundle, false, func(p *pack) {
			s := signing.CosignStatement(digestOf(p.manifest))
			s.Subject[0].Digest = map[string]string{"sha512": "x"}
			p.evidence.Bundle = signing.SignBundle(s.JSON(), signer).JSON()
		}, Subject, func(p *pack) string {
			return "it is about something without a SHA-256, not about the manifest " + digestOf(p.manifest)
		}},
	} {
		p := signed(test.format, signer, test.index)
		test.forge(p)
		v, err := p.prove(t, signers(t, signer, foreign))
		check(t, name, err, test.link, test.want(p))
		if v != nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// wrap puts the layer into a new manifest with this envelope, and locks that.
func (p *pack) wrap(annotation string) {
	p.rewrap(map[string]string{signing.DSSEAnnotation: annotation})
}

func (p *pack) rewrap(annotations map[string]string) {
	p.manifest = manifestOf(p.layer, annotations)
	p.evidence.Manifest, p.claim.Manifest = p.manifest, ociref.DigestOf(p.manifest)
}

// What a signature may say of names.
func TestNames(t *testing.T) {
	for name, test := range map[string]struct {
		format signature.Format
		name   string
	}{
		"bundle, none":            {signature.Bundle, ""},
		"bundle, ours":            {signature.Bundle, ours},
		"bundle, ours and a tag":  {signature.Bundle, ours + ":1.0"},
		"bundle, a file":          {signature.Bundle, "a.gtpack"},
		"bundle, a path":          {signature.Bundle, "dist/a.gtpack"},
		"older, none":             {signature.Simple, ""},
		"older, ours":             {signature.Simple, ours},
		"older, ours by a digest": {signature.Simple, ours + "@" + digestOf(nil)},
	} {
		p := signed(test.format, signer, false)
		p.sign(signer, digestOf(p.manifest), test.name)
		if _, err := p.prove(t, signers(t, signer)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Among several subjects the pack's own name counts.
	p := signed(signature.Bundle, signer, false)
	s := signing.CosignStatement(digestOf(p.manifest))
	s.Subject = []signing.Subject{signing.About("reg.example/acme/b", digestOf(nil)), signing.About(ours, digestOf(p.manifest))}
	p.evidence.Bundle = signing.SignBundle(s.JSON(), signer).JSON()
	if _, err := p.prove(t, signers(t, signer)); err != nil {
		t.Error(err)
	}
	// Who may name nothing may name nothing.
	nobody := signers(t, signer)
	nobody[0].MayName = nil
	_, err := p.prove(t, nobody)
	check(t, "nothing", err, Name, "it names reg.example/acme/a, another repository")
}

// greentic-dsse proves the signer of the layer. A signed layer can be wrapped anew: the
// manifest around it, its tag and its version are proved by packs.lock alone.
func TestOldLayerInNewManifest(t *testing.T) {
	p := signed(signature.Greentic, signer, false)
	envelope := signing.Sign(signing.GreenticStatement("a.gtpack", digestOf(p.layer)).JSON(), signer).Annotation()
	p.rewrap(map[string]string{signing.DSSEAnnotation: envelope, "org.opencontainers.image.version": "9.0.0"})
	if _, err := p.prove(t, signers(t, signer)); err != nil {
		t.Error(err)
	}
}

// The errors of the rooms below are behind those of this one.
func TestErrorsBehind(t *testing.T) {
	p := signed(signature.Bundle, signer, false)
	p.sign(foreign, digestOf(p.manifest), "")
	_, err := p.prove(t, signers(t, signer))
	var behind *signature.Error
	if !errors.As(err, &behind) || behind.Problem != signature.Foreign {
		t.Errorf("%#v", err)
	}
}

// Evidence of one pack proves nothing of another.
func TestEvidenceOfAnother(t *testing.T) {
	for _, format := range formats {
		a, b := signed(format, signer, false), signed(format, signer, false)
		b.layer = []byte("another pack")
		b.manifest = manifestOf(b.layer, nil)
		b.claim = claimOf(b, signer)
		file, err := a.evidence.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		e, err := Open(file, Digest(file))
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Prove(b.claim, signers(t, signer))
		check(t, string(format), err, Manifest, "its manifest is "+digestOf(a.manifest)+", not "+digestOf(b.manifest))
		_, err = Open(file, ociref.DigestOf([]byte(strings.TrimSpace(string(file)))))
		check(t, string(format), err, File, "the evidence is "+digestOf(file)+", not "+digestOf([]byte(strings.TrimSpace(string(file)))))
	}
}

package evidence

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/signing"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/signature"
)

// ours is the repository of the packs below.
const ours = "reg.example/acme/a"

// A pack is one with its manifest, an index, and evidence of one format.
type pack struct {
	layer    []byte
	manifest []byte
	index    []byte // nil if there is none
	claim    Claim
	evidence *Evidence
}

var (
	signer  = signing.Ed25519(1)
	foreign = signing.Ed25519(2)
)

// signed returns a pack that the key signed.
func signed(format signature.Format, key *signing.Key, withIndex bool) *pack {
	p := &pack{layer: []byte("the bytes of a pack")}
	annotations := map[string]string{"org.opencontainers.image.version": "1.0.0"}
	if format == signature.Greentic {
		annotations[signing.DSSEAnnotation] = signing.Sign(signing.GreenticStatement("a.gtpack", digestOf(p.layer)).JSON(), key).Annotation()
	}
	p.manifest = manifestOf(p.layer, annotations)
	if withIndex {
		p.index = indexOf(descriptor(p.manifest, packtest.ManifestMediaType, nil))
	}
	p.claim = claimOf(p, key)
	p.evidence = &Evidence{Format: format, Key: key.SPKI(), Manifest: p.manifest, Index: p.index}
	p.sign(key, digestOf(p.manifest), "")
	return p
}

// claimOf returns the claim that packs.lock would make.
func claimOf(p *pack, key *signing.Key) Claim {
	c := Claim{
		Signer: key.Identity(), Manifest: ociref.DigestOf(p.manifest), Layer: ociref.DigestOf(p.layer),
		Size: int64(len(p.layer)), MediaType: packtest.PackMediaType,
	}
	if p.index != nil {
		c.Index = ociref.DigestOf(p.index)
	}
	return c
}

// sign signs a digest, under a name, in the formats whose signature is not in the manifest.
func (p *pack) sign(key *signing.Key, digest, name string) {
	switch p.evidence.Format {
	case signature.Bundle:
		s := signing.CosignStatement(digest)
		s.Subject[0].Name = name
		p.evidence.Bundle = signing.SignBundle(s.JSON(), key).JSON()
	case signature.Simple:
		p.evidence.Payload = signing.NewSimple(name, digest).JSON()
		p.evidence.Signature = key.Sign(p.evidence.Payload)
	}
}

func digestOf(data []byte) string { return ociref.DigestOf(data).String() }

// descriptor returns that of a manifest in an index, or of a layer in a manifest.
func descriptor(data []byte, mediaType string, annotations map[string]string) map[string]any {
	d := map[string]any{"mediaType": mediaType, "digest": digestOf(data), "size": len(data)}
	if annotations != nil {
		d["annotations"] = annotations
	}
	return d
}

func manifestOf(layer []byte, annotations map[string]string) []byte {
	return marshal(map[string]any{
		"schemaVersion": 2, "mediaType": packtest.ManifestMediaType, "annotations": annotations,
		"layers": []any{descriptor(layer, packtest.PackMediaType, nil)},
	})
}

func indexOf(children ...map[string]any) []byte {
	return marshal(map[string]any{"schemaVersion": 2, "manifests": children})
}

func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// signers returns those that may sign, and may name their own repository alone.
func signers(t testing.TB, keys ...*signing.Key) []Signer {
	t.Helper()
	var list []Signer
	for _, key := range keys {
		parsed, err := publickey.ParseSPKI(key.SPKI())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Signer{Key: parsed, MayName: func(ref ociref.Reference) bool { return ref.Name() == ours }})
	}
	return list
}

// prove proves the pack as a run would, by way of the file.
func (p *pack) prove(t testing.TB, allowed []Signer) (*signature.Verified, error) {
	t.Helper()
	file, err := p.evidence.Bytes()
	if err != nil {
		return nil, err
	}
	e, err := Open(file, Digest(file))
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	return e.Prove(p.claim, allowed)
}

func check(t *testing.T, name string, err error, link Link, want string) {
	t.Helper()
	if got := text(err); got != want {
		t.Errorf("%s:\n got: %s\nwant: %s", name, got, want)
	}
	var typed *Error
	if e, ok := err.(*Error); ok {
		typed = e
	}
	if want != "" && (typed == nil || typed.Link != link) {
		t.Errorf("%s: %#v, want link %s", name, err, link)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprint(err)
}

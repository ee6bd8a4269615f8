package packfetch

import (
	"context"
	"errors"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
)

type (
	// A Verifier decides which signatures count. A Fetcher with one gives out a pack only
	// after Verify has accepted one of its signatures. [SignedBy] makes one from public
	// keys.
	Verifier = fetch.Verifier
	// A Subject is the pack that a signature has to be about.
	Subject = fetch.Subject
	// A Signature is what may be a signature of a pack. Nothing in it is verified.
	Signature = fetch.Signature
	// A SignatureFormat is how a signature is written, and where.
	SignatureFormat = signature.Format
	// A Verdict says why a signature does not count.
	Verdict = fetch.Verdict
	// An UnsignedError reports a pack of whose signatures Options.Verifier accepts none.
	// Every place where signatures may be was searched.
	UnsignedError = fetch.UnsignedError
	// An UnsearchedError reports a pack that may be signed: Options.Verifier accepts no
	// signature that was found, and not every place could be searched to its end. It wraps
	// the first *RegistryError, if a request failed.
	UnsearchedError = fetch.UnsearchedError
)

const (
	// GreenticDSSE is a DSSE envelope in an annotation of the manifest. It is about the
	// layer.
	GreenticDSSE = signature.Greentic
	// SigstoreBundle is a bundle about the manifest or the index. cosign 3 writes it.
	SigstoreBundle = signature.Bundle
	// CosignSimpleSigning is a signature of cosign's older kind, about the manifest or the
	// index.
	CosignSimpleSigning = signature.Simple
)

type (
	// A PublicKey may sign packs: an Ed25519 key, an ECDSA key over P-256, or an RSA key
	// of 2048 to 4096 bits.
	PublicKey = publickey.Key
	// A PublicKeyError says why something is no public key that packvendor uses.
	PublicKeyError = publickey.Error
)

// ParsePublicKey reads a file with one public key, in PEM. The error is *PublicKeyError.
func ParsePublicKey(file []byte) (*PublicKey, error) { return publickey.ParsePEM(file) }

// ParseTrustRoot reads a trust-root.json, the list of keys that Greentic's programs trust.
// The error is *PublicKeyError.
func ParseTrustRoot(file []byte) ([]*PublicKey, error) { return publickey.ParseTrustRoot(file) }

// SignedBy returns a Verifier that accepts a valid signature by one of the keys, in each
// format, about the very pack. A statement that names another repository than the
// reference is refused, and so is one that is no signature, such as a list of contents.
func SignedBy(keys ...*PublicKey) Verifier {
	v := signedBy{}
	for _, key := range keys {
		if key != nil {
			v.signers = append(v.signers, &trust.Signer{Name: key.Identity(), Key: key})
		}
	}
	return v
}

// signedBy is the Verifier of SignedBy. Without signers it accepts nothing.
type signedBy struct{ signers []*trust.Signer }

var errNoKeys = errors.New("verifier: SignedBy has no keys")

func (v signedBy) Verify(_ context.Context, subject Subject, s Signature) error {
	ref, err := ociref.Parse(subject.Reference)
	if err != nil {
		return err
	}
	pack := verdict.Pack{Reference: ref, Manifest: subject.Manifest, Index: subject.Index, Claim: evidence.Claim{
		Manifest: subject.ManifestDigest, Index: subject.IndexDigest, Layer: ociref.Digest(subject.Layer.Digest),
		Size: subject.Layer.Size, MediaType: subject.Layer.MediaType,
		Select: subject.Layer.Digest, // as the Fetcher did
	}}
	_, err = verdict.Prove(pack, v.signers, referrers.Candidate{
		Format: s.Format, MediaType: s.MediaType, Annotations: s.Annotations, Payload: s.Payload,
	})
	return err
}

package signature

import (
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// SimpleMediaType is the media type of a layer that is the payload of a [Simple] signature:
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md.
const SimpleMediaType = "application/vnd.dev.cosign.simplesigning.v1+json"

// Annotations of such a layer.
const (
	simpleSignature   = "dev.cosignproject.cosign/signature"
	simpleCertificate = "dev.sigstore.cosign/certificate"
)

// simpleType is what a payload says of itself: sigstore's pkg/signature/payload.
const simpleType = "cosign container image signature"

// SimpleSignature returns the signature that the annotations of a layer hold. Its errors
// are *Error.
func SimpleSignature(annotations map[string]string) ([]byte, error) {
	if annotations[simpleCertificate] != "" {
		return nil, Simple.err(Certificate, "signed with a certificate: that is not supported in the format of cosign 2")
	}
	text, ok := annotations[simpleSignature]
	if !ok {
		return nil, Simple.err(Malformed, "its layer has no annotation %s", simpleSignature)
	}
	if err := Simple.checkSize("signature", len(text)); err != nil {
		return nil, err
	}
	sig, err := strictjson.Base64(text)
	if err != nil {
		return nil, Simple.err(Malformed, "annotation %s: %v", simpleSignature, err)
	}
	return sig, nil
}

// VerifySimple verifies a signature over payload, the bytes of its layer. All allowed keys
// are tried. Its errors are *Error.
func VerifySimple(payload, sig []byte, allowed []*publickey.Key) (*Verified, error) {
	if err := Simple.checkSize("payload", len(payload)); err != nil {
		return nil, err
	}
	key := firstSigner(allowed, payload, sig)
	if key == nil {
		return nil, Simple.err(Foreign, "no allowed key signed it")
	}
	subject, err := parseSimple(payload)
	if err != nil {
		return nil, Simple.err(Malformed, "payload: %v", err)
	}
	return &Verified{Format: Simple, Payload: payload, Key: key, Subjects: []Subject{subject}}, nil
}

// parseSimple reads a payload that is verified. A reader must understand all of critical:
// https://github.com/containers/image/blob/main/docs/containers-signature.5.md.
func parseSimple(payload []byte) (subject Subject, err error) {
	err = strictjson.Read(payload, func(o strictjson.Object) {
		critical := o.Object("critical")
		critical.Only("identity", "image", "type")
		if kind := critical.String("type"); kind != simpleType {
			critical.Fail("type", "%s, not %q", printable.Quote(kind, maxQuoted), simpleType)
		}
		identity, image := critical.Object("identity"), critical.Object("image")
		identity.Only("docker-reference")
		image.Only("docker-manifest-digest")
		subject.Name = identity.String("docker-reference")
		text := image.String("docker-manifest-digest")
		digest, err := ociref.ParseDigest(text)
		if err != nil {
			image.Fail("docker-manifest-digest", "%s is not sha256: and 64 hexadecimal digits", printable.Quote(text, maxQuoted))
		}
		subject.Digest = digest
	})
	return subject, err
}

package signature

import (
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// BundleMediaType is the media type of a [Bundle], in the bundle and of its layer.
const BundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// bundleMediaTypes begins the media types of all versions of bundles.
const bundleMediaTypes = "application/vnd.dev.sigstore.bundle"

// VerifyBundle verifies a sigstore bundle that holds an envelope with exactly one
// signature. Its errors are *Error.
//
// All allowed keys are tried: cosign writes no id of the key, and a hint is only a hint. A
// bundle with a certificate satisfies no key, whatever signed it.
func VerifyBundle(bundle []byte, allowed []*publickey.Key) (*Verified, error) {
	if err := Bundle.checkSize("bundle", len(bundle)); err != nil {
		return nil, err
	}
	e, sig, err := readBundle(bundle)
	if err != nil {
		return nil, err
	}
	key := firstSigner(allowed, e.signed(), sig)
	if key == nil {
		return nil, Bundle.err(Foreign, "no allowed key signed it")
	}
	return Bundle.verified(e.payload, key)
}

// readBundle reads a bundle in the form of
// https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto. JSON of
// protocol buffers has two names for a field, dsseEnvelope and dsse_envelope: only the first
// is read, and a field that this version does not have is refused, as sigstore-go does.
func readBundle(bundle []byte) (e envelope, sig []byte, err error) {
	var other *Error
	err = strictjson.Read(bundle, func(o strictjson.Object) {
		if mediaType := o.String("mediaType"); mediaType != BundleMediaType {
			if strings.HasPrefix(mediaType, bundleMediaTypes) {
				other = Bundle.err(Unsupported, "a bundle of type %s is not supported yet: only version 0.3", printable.Word(mediaType, maxQuoted))
			}
			o.Fail("mediaType", "%s, not %s", printable.Quote(mediaType, maxQuoted), BundleMediaType)
			return
		}
		o.Only("mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature")
		material := o.Object("verificationMaterial")
		material.Only("publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData")
		switch {
		case o.Has("messageSignature"):
			other = Bundle.err(Unsupported, "a bundle with a messageSignature is not supported yet: only with a dsseEnvelope")
		case material.Has("certificate"), material.Has("x509CertificateChain"):
			other = Bundle.err(Certificate, "signed with a certificate, not with a key")
		}
		material.Object("publicKey")
		e, sig = readBundled(o.Object("dsseEnvelope"))
	})
	switch {
	case other != nil:
		return envelope{}, nil, other
	case err != nil:
		return envelope{}, nil, Bundle.err(Malformed, "bundle: %v", err)
	}
	return e, sig, nil
}

// readBundled reads the envelope in a bundle and its signature.
func readBundled(o strictjson.Object) (envelope, []byte) {
	o.Only("payloadType", "payload", "signatures")
	e, signatures := readEnvelope(o)
	if len(signatures) != 1 {
		o.Fail("signatures", "%d signatures, not one", len(signatures))
		return e, nil
	}
	s := signatures[0]
	s.Only("sig", "keyid")
	if s.Has("keyid") {
		s.String("keyid")
	}
	return e, s.Base64("sig")
}

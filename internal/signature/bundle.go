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
	o, err := OpenBundle(bundle, allowed)
	if err != nil {
		return nil, err
	}
	return Bundle.verified(o.Payload, o.Key, Bundle.predicateTypes())
}

// An Opened is the envelope in a bundle, of which an allowed key made the signature.
type Opened struct {
	Payload   []byte // decoded
	Signed    []byte // what the signature is over: the payload with its type
	Signature []byte
	Key       *publickey.Key // the first of the allowed ones that made it
}

// OpenBundle is VerifyBundle for a caller that reads the payload itself.
func OpenBundle(bundle []byte, allowed []*publickey.Key) (*Opened, error) {
	if err := Bundle.checkSize("bundle", len(bundle)); err != nil {
		return nil, err
	}
	e, sig, err := readBundle(bundle, byKey)
	if err != nil {
		return nil, err
	}
	o := &Opened{Payload: e.payload, Signed: e.signed(), Signature: sig}
	if o.Key = firstSigner(allowed, o.Signed, sig); o.Key == nil {
		return nil, Bundle.err(Foreign, "no allowed key signed it")
	}
	return o, nil
}

// ReadCertified returns the payload of a bundle that was signed with a certificate. The
// payload is not verified: that takes another program, which has to return the same bytes
// before [ReadStatement] reads them. Its errors are *Error.
func ReadCertified(bundle []byte) (payload []byte, err error) {
	if err := Bundle.checkSize("bundle", len(bundle)); err != nil {
		return nil, err
	}
	e, _, err := readBundle(bundle, byCertificate)
	if err != nil {
		return nil, err
	}
	return e.payload, nil
}

// ReadStatement reads the payload of a bundle that another program verified. With provenance
// a statement of how a pack was built is a signature as well. Its errors are *Error.
func ReadStatement(payload []byte, provenance bool) (*Verified, error) {
	if err := Bundle.checkSize("payload", len(payload)); err != nil {
		return nil, err
	}
	wanted := Bundle.predicateTypes()
	if provenance {
		wanted = append(wanted, slsaProvenance)
	}
	return Bundle.verified(payload, nil, wanted)
}

// A material is what proves who signed a bundle.
type material int

const (
	byKey material = iota
	byCertificate
)

// readBundle reads a bundle in the form of
// https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto. JSON of
// protocol buffers has two names for a field, dsseEnvelope and dsse_envelope: only the first
// is read, and a field that this version does not have is refused, as sigstore-go does.
func readBundle(bundle []byte, by material) (e envelope, sig []byte, err error) {
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
		m := o.Object("verificationMaterial")
		m.Only("publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData")
		if o.Has("messageSignature") {
			other = Bundle.err(Unsupported, "a bundle with a messageSignature is not supported yet: only with a dsseEnvelope")
		} else {
			other = by.check(m)
		}
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

// check checks that a bundle has the material. It returns an error if it is a bundle of
// another kind.
func (by material) check(m strictjson.Object) *Error {
	certificate, chain := m.Has("certificate"), m.Has("x509CertificateChain")
	switch {
	case by == byKey && (certificate || chain):
		return Bundle.err(Certificate, "signed with a certificate, not with a key")
	case by == byKey:
		m.Object("publicKey")
	case certificate && (chain || m.Has("publicKey")):
		m.Fail("certificate", "not the only proof of who signed")
	case certificate:
		m.Object("certificate")
	case chain:
		return Bundle.err(Unsupported, "a bundle with a chain of certificates is not supported yet: only with one certificate")
	case m.Has("publicKey"):
		return Bundle.err(Foreign, "signed with a key, not with a certificate")
	default:
		m.Object("certificate") // it is missing
	}
	return nil
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

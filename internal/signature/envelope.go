package signature

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// An envelope is a DSSE envelope:
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md.
type envelope struct {
	payload    []byte
	signatures []envelopeSignature
}

// An envelopeSignature is one of an envelope's signatures, not yet decoded.
type envelopeSignature struct {
	keyID string
	sig   string // base64
}

// readEnvelope reads all of an envelope but the ids of its keys.
func readEnvelope(o strictjson.Object) (envelope, []strictjson.Object) {
	if kind := o.String("payloadType"); kind != payloadType {
		o.Fail("payloadType", "%s, not %s", printable.Quote(kind, maxQuoted), payloadType)
	}
	e := envelope{payload: o.Base64("payload")}
	signatures := o.Objects("signatures")
	for _, s := range signatures {
		e.signatures = append(e.signatures, envelopeSignature{sig: s.String("sig")})
	}
	return e, signatures
}

// signed returns the bytes that the envelope's signatures are over, its pre-authentication
// encoding: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
func (e envelope) signed() []byte {
	head := fmt.Sprintf("DSSEv1 %d %s %d ", len(payloadType), payloadType, len(e.payload))
	return append([]byte(head), e.payload...)
}

// verified parses the payload that key, or a certificate, signed.
func (f Format) verified(payload []byte, key *publickey.Key, predicateTypes []string) (*Verified, error) {
	s, err := f.parseStatement(payload, predicateTypes)
	if err != nil {
		return nil, err
	}
	return &Verified{Format: f, Payload: payload, Key: key, PredicateType: s.predicateType, Subjects: s.subjects}, nil
}

// firstSigner returns the first of keys that signed message; nil if none did. With Ed25519
// keys cosign signs by Ed25519ph (pkg/cosign/keys.go, GetDefaultLoadOptions), its first
// versions and others by Ed25519.
func firstSigner(keys []*publickey.Key, message, signature []byte) *publickey.Key {
	for _, key := range keys {
		if key.Verify(message, signature) || key.VerifyPrehashed(message, signature) {
			return key
		}
	}
	return nil
}

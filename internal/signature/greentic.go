package signature

import (
	"crypto/ed25519"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// GreenticAnnotation is the annotation of a manifest that holds a [Greentic] signature. A
// manifest with it is signed, whatever it holds: a malformed value is a failure.
const GreenticAnnotation = "dev.greentic.dsse"

// VerifyGreentic verifies the value of [GreenticAnnotation]: an envelope in base64. Its
// errors are *Error.
//
// The id of a key selects among the allowed keys of Ed25519. A signature that does not
// verify does no harm beside one that does. An envelope fails as a whole if an id is empty,
// missing or there twice, or if the signature of an allowed key cannot be decoded.
//
// What it accepts is a subset of what verify_artifact_dsse of greentic-distributor-client
// 1.2.1 accepts (src/signing.rs there).
func VerifyGreentic(annotation string, allowed []*publickey.Key) (*Verified, error) {
	if err := Greentic.checkSize("envelope", len(annotation)/4*3); err != nil {
		return nil, err
	}
	text, err := strictjson.Base64(annotation)
	if err != nil {
		return nil, Greentic.err(Malformed, "annotation %s: %v", GreenticAnnotation, err)
	}
	e, err := readGreentic(text)
	if err != nil {
		return nil, Greentic.err(Malformed, "envelope: %v", err)
	}
	key, err := e.signer(allowed)
	if err != nil {
		return nil, err
	}
	return Greentic.verified(e.payload, key, Greentic.predicateTypes())
}

// readGreentic reads an envelope. Unknown fields are ignored, as DSSE demands.
func readGreentic(text []byte) (e envelope, err error) {
	err = strictjson.Read(text, func(o strictjson.Object) {
		var signatures []strictjson.Object
		e, signatures = readEnvelope(o)
		seen := map[string]bool{}
		for i, s := range signatures {
			id := s.String("keyid")
			e.signatures[i].keyID = id
			switch folded := strings.ToLower(id); {
			case id == "":
				s.Fail("keyid", "empty")
			case seen[folded]:
				s.Fail("keyid", "%s is there twice", printable.Word(id, maxQuoted))
			default:
				seen[folded] = true
			}
		}
		if len(signatures) == 0 {
			o.Fail("signatures", "empty")
		}
	})
	return e, err
}

// signer returns the first allowed key that signed the envelope.
func (e envelope) signer(allowed []*publickey.Key) (*publickey.Key, error) {
	message := e.signed()
	var signer *publickey.Key
	var invalid string
	for _, key := range allowed {
		id := key.GreenticID()
		s, ok := e.signatureOf(id)
		if !ok {
			continue
		}
		sig, err := strictjson.Base64(s.sig)
		if err != nil || len(sig) != ed25519.SignatureSize {
			return nil, Greentic.err(Malformed, "envelope: the signature of key %s is not %d bytes in base64", id, ed25519.SignatureSize)
		}
		switch verifies := key.Verify(message, sig); {
		case verifies && signer == nil:
			signer = key
		case !verifies && invalid == "":
			invalid = id
		}
	}
	switch {
	case signer != nil:
		return signer, nil
	case invalid != "":
		return nil, Greentic.err(Invalid, "the signature of key %s does not verify", invalid)
	}
	return nil, Greentic.err(Foreign, "no allowed key signed it: it names %s", e.keyIDs())
}

// signatureOf returns the signature of a key by its id, which is "" for keys that sign no
// such envelopes.
func (e envelope) signatureOf(id string) (envelopeSignature, bool) {
	for _, s := range e.signatures {
		if id != "" && strings.EqualFold(s.keyID, id) {
			return s, true
		}
	}
	return envelopeSignature{}, false
}

// maxShown bounds how many keys a message lists.
const maxShown = 8

// keyIDs lists the keys that the envelope names.
func (e envelope) keyIDs() string {
	var ids []string
	for i, s := range e.signatures {
		if i == maxShown {
			ids = append(ids, fmt.Sprintf("%d more", len(e.signatures)-maxShown))
			break
		}
		ids = append(ids, printable.Word(s.keyID, maxQuoted))
	}
	if len(ids) == 1 {
		return "key " + ids[0]
	}
	return "the keys " + strings.Join(ids[:len(ids)-1], ", ") + " and " + ids[len(ids)-1]
}

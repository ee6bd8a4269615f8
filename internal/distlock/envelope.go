package distlock

import (
	"encoding/base64"
	"encoding/json"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/strictjson"
)

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
)

// envelopeJSON is a DSSE envelope.
type envelopeJSON struct {
	PayloadType string          `json:"payloadType"`
	Payload     string          `json:"payload"` // in base64
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	KeyID string `json:"keyid"` // a hint, which no signature covers
	Sig   string `json:"sig"`   // in base64
}

// Envelope returns the envelope of a bundle for [Component]. It returns nil if the client, in its
// version 1.2.1, would refuse it for a manifest with the digest. The client wants a signature by
// Ed25519, not Ed25519ph, and a statement whose first subject with a SHA-256 is that manifest:
// pull_lock_verified in src/dist.rs, verify_artifact_dsse in src/signing.rs.
func Envelope(o *signature.Opened, manifest ociref.Digest) []byte {
	id := o.Key.GreenticID() // "" if the key is not one of Ed25519
	if id == "" || !o.Key.Verify(o.Signed, o.Signature) || subjectOf(o.Payload) != manifest {
		return nil
	}
	text, _ := json.Marshal(envelopeJSON{ // never fails for strings
		PayloadType: payloadType, Payload: base64.StdEncoding.EncodeToString(o.Payload),
		Signatures: []signatureJSON{{KeyID: id, Sig: base64.StdEncoding.EncodeToString(o.Signature)}},
	})
	return text
}

// subjectOf returns the digest of the first subject with a SHA-256; "" if there is none, or if
// the statement lacks something that the client needs.
func subjectOf(payload []byte) (first ociref.Digest) {
	err := strictjson.Read(payload, func(o strictjson.Object) {
		if o.String("_type") != statementType {
			o.Fail("_type", "not %s", statementType)
		}
		o.String("predicateType")
		if !o.Has("predicate") {
			o.Fail("predicate", "missing")
		}
		for _, subject := range o.Objects("subject") {
			subject.String("name")
			if hex, ok := subject.StringMap("digest")["sha256"]; ok && first == "" {
				first = ociref.Digest("sha256:" + hex)
			}
		}
	})
	if err != nil {
		return ""
	}
	return first
}

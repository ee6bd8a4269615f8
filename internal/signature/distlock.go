package signature

import (
	"encoding/base64"
	"encoding/json"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// DistEnvelope returns the envelope of a bundle as greentic-distributor-client 1.2.1 reads it in
// a lock: with the id of the key that signed. It returns nil if that client would refuse it for a
// manifest with the digest: it wants a signature by Ed25519, and a statement whose first subject
// with a SHA-256 is that manifest (pull_lock_verified in src/dist.rs, verify_artifact_dsse in
// src/signing.rs there). The id is a hint, which no signature covers.
func DistEnvelope(bundle []byte, key *publickey.Key, manifest ociref.Digest) []byte {
	e, sig, err := readBundle(bundle, byKey)
	if err != nil || key.GreenticID() == "" || !key.Verify(e.signed(), sig) || distSubject(e.payload) != manifest {
		return nil
	}
	type signed struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	}
	text, _ := json.Marshal(struct { // never fails for strings
		PayloadType string   `json:"payloadType"`
		Payload     string   `json:"payload"`
		Signatures  []signed `json:"signatures"`
	}{payloadType, base64.StdEncoding.EncodeToString(e.payload), []signed{{key.GreenticID(), base64.StdEncoding.EncodeToString(sig)}}})
	return text
}

// distSubject returns the digest of the first subject with a SHA-256; "" if there is none, or if
// the statement lacks something that greentic-distributor-client needs.
func distSubject(payload []byte) (first ociref.Digest) {
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
			if hex, ok := subject.Strings("digest")["sha256"]; ok && first == "" {
				first = ociref.Digest("sha256:" + hex)
			}
		}
	})
	if err != nil {
		return ""
	}
	return first
}

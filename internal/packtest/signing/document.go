package signing

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Values of right documents.
const (
	PayloadType     = "application/vnd.in-toto+json"
	StatementType   = "https://in-toto.io/Statement/v1"
	Provenance      = "https://slsa.dev/provenance/v1"
	CosignSign      = "https://sigstore.dev/cosign/sign/v1"
	BundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	SimpleType      = "cosign container image signature"
	DSSEAnnotation  = "dev.greentic.dsse"
)

// A Statement is an in-toto statement:
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
type Statement struct {
	Type          string         `json:"_type"`
	Subject       []Subject      `json:"subject"`
	PredicateType string         `json:"predicateType"`
	Predicate     map[string]any `json:"predicate"`
}

// A Subject is what a statement is about. A digest has 64 hexadecimal digits.
type Subject struct {
	Name   string            `json:"name,omitempty"`
	Digest map[string]string `json:"digest"`
}

// About returns a subject. digest may begin with "sha256:".
func About(name, digest string) Subject {
	return Subject{Name: name, Digest: map[string]string{"sha256": strings.TrimPrefix(digest, "sha256:")}}
}

// GreenticStatement returns the statement that greentic-distributor-client signs for a
// layer.
func GreenticStatement(file, layer string) Statement {
	return Statement{Type: StatementType, Subject: []Subject{About(file, layer)}, PredicateType: Provenance,
		Predicate: map[string]any{"build_type": "gtpack", "builder_id": "test"}}
}

// CosignStatement returns the statement that cosign 3 signs for a manifest.
func CosignStatement(manifest string) Statement {
	return Statement{Type: StatementType, Subject: []Subject{About("", manifest)}, PredicateType: CosignSign, Predicate: map[string]any{}}
}

// JSON returns the statement's bytes.
func (s Statement) JSON() []byte { return marshal(s) }

// An Envelope is a DSSE envelope:
// https://github.com/secure-systems-lab/dsse/blob/master/envelope.md.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"` // base64
	Signatures  []Signature `json:"signatures"`
}

// A Signature is one of an envelope's. Without KeyID it has none, as cosign writes it.
type Signature struct {
	KeyID *string `json:"keyid,omitempty"`
	Sig   string  `json:"sig"` // base64
}

// Sign returns an envelope with the signatures of these keys over payload. Each has the
// Greentic id of its key, "" if that has none.
func Sign(payload []byte, keys ...*Key) Envelope {
	e := Envelope{PayloadType: PayloadType, Payload: Base64(payload), Signatures: []Signature{}}
	for _, key := range keys {
		id := key.GreenticID()
		e.Signatures = append(e.Signatures, Signature{KeyID: &id, Sig: Base64(key.Sign(PAE(e.PayloadType, payload)))})
	}
	return e
}

// PAE returns the bytes that a DSSE signature is over:
// https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
func PAE(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// JSON returns the envelope's bytes.
func (e Envelope) JSON() []byte { return marshal(e) }

// Annotation returns the value of [DSSEAnnotation].
func (e Envelope) Annotation() string { return Base64(e.JSON()) }

// A Bundle is a sigstore bundle:
// https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto.
type Bundle struct {
	MediaType        string         `json:"mediaType"`
	Material         map[string]any `json:"verificationMaterial"`
	Envelope         *Envelope      `json:"dsseEnvelope,omitempty"`
	MessageSignature map[string]any `json:"messageSignature,omitempty"`
}

// SignBundle returns the bundle that cosign 3 writes with a key, without a log entry.
func SignBundle(payload []byte, key *Key) Bundle {
	e := Sign(payload, key)
	e.Signatures[0].KeyID = nil
	return Bundle{MediaType: BundleMediaType, Material: map[string]any{"publicKey": map[string]any{"hint": "hint"}}, Envelope: &e}
}

// JSON returns the bundle's bytes.
func (b Bundle) JSON() []byte { return marshal(b) }

// A Simple is the payload of a legacy cosign signature:
// https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md.
type Simple struct {
	Critical Critical       `json:"critical"`
	Optional map[string]any `json:"optional"`
}

// Critical is the part of a [Simple] that a reader must understand.
type Critical struct {
	Identity struct {
		Reference string `json:"docker-reference"`
	} `json:"identity"`
	Image struct {
		Digest string `json:"docker-manifest-digest"`
	} `json:"image"`
	Type string `json:"type"`
}

// NewSimple returns the payload that cosign signs for a manifest.
func NewSimple(reference, manifest string) Simple {
	s := Simple{Critical: Critical{Type: SimpleType}}
	s.Critical.Identity.Reference, s.Critical.Image.Digest = reference, manifest
	return s
}

// JSON returns the payload's bytes.
func (s Simple) JSON() []byte { return marshal(s) }

// Base64 encodes data as all these documents do.
func Base64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func marshal(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("signing: " + err.Error()) // the types above can be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

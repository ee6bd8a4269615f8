package signature

import (
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/strictjson"
)

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
)

// The predicate types of statements that are signatures. Others attest something else: a
// list of contents, the result of a scan.
const (
	slsaProvenance = "https://slsa.dev/provenance/v1"      // greentic-distributor-client's and GitHub's
	cosignSign     = "https://sigstore.dev/cosign/sign/v1" // cosign's, pkg/types/predicate.go
)

// maxQuoted bounds the bytes of a quotation in a message.
const maxQuoted = 200

// A statement is an in-toto statement, as far as packvendor reads it:
// https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
type statement struct {
	predicateType string
	subjects      []Subject
}

// predicateTypes returns those of the statements that sign in a format.
func (f Format) predicateTypes() []string {
	if f == Greentic {
		return []string{slsaProvenance}
	}
	return []string{cosignSign}
}

// parseStatement reads a payload that is verified. Unknown fields are ignored, as the
// specification demands.
func (f Format) parseStatement(payload []byte, predicateTypes []string) (*statement, error) {
	s := &statement{}
	var other string
	err := strictjson.Read(payload, func(o strictjson.Object) {
		// First, since attestations are of other types too.
		if s.predicateType = o.String("predicateType"); !slices.Contains(predicateTypes, s.predicateType) {
			other = s.predicateType
			o.Fail("predicateType", "not %s", strings.Join(predicateTypes, " or "))
		}
		if kind := o.String("_type"); kind != statementType {
			o.Fail("_type", "%s, not %s", printable.Quote(kind, maxQuoted), statementType)
		}
		for _, subject := range o.Objects("subject") {
			s.subjects = append(s.subjects, f.parseSubject(subject))
		}
		switch {
		case len(s.subjects) == 0:
			o.Fail("subject", "empty")
		case f == Greentic && len(s.subjects) > 1:
			o.Fail("subject", "%d subjects, not one", len(s.subjects))
		case f == Greentic && !o.Has("predicate"):
			o.Fail("predicate", "missing")
		}
	})
	switch {
	case other != "":
		return nil, f.err(Attestation, "an attestation of %s, not a signature", printable.Word(other, maxQuoted))
	case err != nil:
		return nil, f.err(Malformed, "statement: %v", err)
	}
	return s, nil
}

func (f Format) parseSubject(o strictjson.Object) Subject {
	var s Subject
	if f == Greentic || o.Has("name") {
		s.Name = o.String("name")
	}
	digests := o.StringMap("digest")
	digest, ok := digests["sha256"]
	switch {
	case ok && f == Greentic:
		// Its client compares without case, and drops either prefix once.
		if rest, found := strings.CutPrefix(digest, "SHA256:"); found {
			digest = rest
		} else {
			digest = strings.TrimPrefix(digest, "sha256:")
		}
		digest = strings.ToLower(digest)
	case f == Greentic:
		o.Object("digest").String("sha256") // it is missing
	}
	if !ok {
		return s
	}
	parsed, err := ociref.ParseDigest("sha256:" + digest)
	if err != nil {
		o.Object("digest").Fail("sha256", "%s is not 64 hexadecimal digits", printable.Quote(digests["sha256"], maxQuoted))
	}
	s.Digest = parsed
	return s
}

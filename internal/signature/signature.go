// Package signature verifies the signatures of packs: who signed which digest.
//
// There are three formats. A bundle that was signed with a certificate is read here, but
// another program verifies it. Each signature is bounded, read strictly (internal/strictjson),
// and verified over the exact bytes of its payload, which are decoded once. Only verified
// bytes are parsed. What a signature is about has to be compared with a pack by the caller.
package signature

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/publickey"
)

// A Format is how a signature is written, and where.
type Format string

const (
	// Greentic is a DSSE envelope in an annotation of the manifest. It is about the
	// layer. The crate greentic-distributor-client writes and verifies it.
	Greentic Format = "greentic-dsse"
	// Bundle is a sigstore bundle, version 0.3, about a manifest or an index. cosign 3
	// writes it.
	Bundle Format = "sigstore-bundle"
	// Simple is a signature of cosign's older kind, about a manifest or an index.
	Simple Format = "cosign-simplesigning"
)

// FormatOf returns the format of the signature that a layer, or the artifact around it, has
// by its media type: a [Bundle], of any version, or a [Simple] one. It is "" for others.
func FormatOf(mediaType string) Format {
	switch {
	case mediaType == SimpleMediaType:
		return Simple
	case strings.HasPrefix(mediaType, bundleMediaTypes):
		return Bundle
	}
	return ""
}

// MaxSize bounds an envelope, a bundle and a payload, in bytes.
const MaxSize = 1 << 20

// A Verified is a signature that one of the allowed keys made, or a certificate.
type Verified struct {
	Format  Format
	Payload []byte // the signed bytes; of an envelope its payload, decoded
	// Key made the signature. If several allowed keys did, it is the first of them. It is
	// nil if a certificate did: see ReadStatement.
	Key           *publickey.Key
	PredicateType string    // of the statement; "" for Simple
	Subjects      []Subject // at least one; for Greentic and Simple exactly one
}

// A Subject is what a signature is about.
type Subject struct {
	// Name is a file name for Greentic. For the other formats it may be a repository.
	Name   string
	Digest ociref.Digest // "" if the statement has no SHA-256 of it
}

// A Problem is why a signature does not count.
type Problem int

const (
	Malformed   Problem = iota + 1 // not what its format demands
	Unsupported                    // of a kind that packvendor does not verify yet
	Certificate                    // made with a certificate, which satisfies no key
	Foreign                        // no allowed signer made it
	Invalid                        // it does not verify: the key or certificate that it names did not make it
	Attestation                    // verified, but it states something else about its subject
)

// An Error says why a signature does not count. The text is about the signature and
// continues "PLACE: ".
type Error struct {
	Format  Format
	Problem Problem
	Reason  string
}

func (e *Error) Error() string { return e.Reason }

func (f Format) err(problem Problem, format string, args ...any) *Error {
	return &Error{Format: f, Problem: problem, Reason: fmt.Sprintf(format, args...)}
}

// checkSize refuses what is too large to be read.
func (f Format) checkSize(noun string, size int) error {
	if size > MaxSize {
		return f.err(Malformed, "%s: larger than %d bytes", noun, MaxSize)
	}
	return nil
}

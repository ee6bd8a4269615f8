package main

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

const (
	bundleMediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	payloadType     = "application/vnd.in-toto+json"
)

// An invalidError says why a bundle is no valid signature.
type invalidError struct{ err error }

func (e *invalidError) Error() string { return e.err.Error() }

func invalid(format string, args ...any) error {
	return &invalidError{fmt.Errorf(format, args...)}
}

// maxReason bounds the bytes of a reason in a reply.
const maxReason = 2000

// text returns one line of valid UTF-8.
func (e *invalidError) text() string {
	text := strings.ToValidUTF8(strings.Join(strings.Fields(e.Error()), " "), "?")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}

// verifyBundle verifies a bundle about a digest. Its error is an *invalidError if the bundle
// is not valid.
func verifyBundle(data, digest []byte, roots []*root.TrustedRoot) (*signed, error) {
	b, leaf, err := readBundle(data)
	if err != nil {
		return nil, err
	}
	var reasons []string
	for i, r := range roots {
		result, err := satisfies(b, verify.ArtifactDigest{Algorithm: "sha256", Digest: digest}, r)
		if err == nil {
			return describe(b, leaf, result)
		}
		reason := err.Error()
		if len(roots) > 1 {
			reason = fmt.Sprintf("document %d of the root: %s", i+1, reason)
		}
		reasons = append(reasons, reason)
	}
	return nil, invalid("%s", strings.Join(reasons, "; "))
}

// readBundle reads a bundle of version 0.3 that has a certificate and an envelope with one
// signature.
func readBundle(data []byte) (*bundle.Bundle, *x509.Certificate, error) {
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(data); err != nil {
		return nil, nil, invalid("bundle: %w", err)
	}
	envelope := b.GetDsseEnvelope()
	switch n := len(envelope.GetSignatures()); {
	case b.GetMediaType() != bundleMediaType:
		return nil, nil, invalid("bundle: media type %.200q, not %s", b.GetMediaType(), bundleMediaType)
	case envelope == nil:
		return nil, nil, invalid("bundle: no dsseEnvelope")
	case envelope.GetPayloadType() != payloadType:
		return nil, nil, invalid("bundle: payloadType %.200q, not %s", envelope.GetPayloadType(), payloadType)
	case n != 1:
		return nil, nil, invalid("bundle: %d signatures, not one", n)
	}
	raw := b.GetVerificationMaterial().GetCertificate().GetRawBytes()
	if len(raw) == 0 {
		return nil, nil, invalid("bundle: no certificate")
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, nil, invalid("certificate: %w", err)
	}
	return b, leaf, nil
}

// satisfies verifies the bundle against one document of the root. If that has logs, the
// certificate must be in one and the signature in another; a public service proves the time
// so. Without logs, as GitHub's own service for private repositories, an authority for
// timestamps proves it.
func satisfies(b *bundle.Bundle, about verify.ArtifactDigest, r *root.TrustedRoot) (*verify.VerificationResult, error) {
	options := []verify.VerifierOption{verify.WithoutStatementPredicate()}
	if len(r.RekorLogs()) > 0 || len(r.CTLogs()) > 0 {
		if err := included(b); err != nil {
			return nil, err
		}
		options = append(options, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithObserverTimestamps(1))
	} else {
		options = append(options, verify.WithSignedTimestamps(1))
	}
	verifier, err := verify.NewVerifier(r, options...)
	if err != nil {
		return nil, err
	}
	// Who signed is in the reply: packvendor decides whether that counts.
	return verifier.Verify(b, verify.NewPolicy(verify.WithArtifactDigest(about.Algorithm, about.Digest), verify.WithoutIdentitiesUnsafe()))
}

// included checks that each log entry proves its inclusion: sigstore-go takes a promise of
// it from the log that it knows, if an entry of another log has a proof.
func included(b *bundle.Bundle) error {
	entries, err := b.TlogEntries()
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("no entry of a transparency log")
	}
	for _, entry := range entries {
		if !entry.HasInclusionProof() {
			return errors.New("an entry of a transparency log without a proof of its inclusion")
		}
	}
	return nil
}

// describe returns what a verified bundle says.
func describe(b *bundle.Bundle, leaf *x509.Certificate, result *verify.VerificationResult) (*signed, error) {
	if err := checkNames(leaf); err != nil {
		return nil, err
	}
	c := result.Signature.Certificate
	s := &signed{
		Payload: b.GetDsseEnvelope().GetPayload(), Issuer: c.Issuer, Subject: c.SubjectAlternativeName,
		Repository: c.SourceRepositoryURI, RepositoryID: c.SourceRepositoryIdentifier, OwnerID: c.SourceRepositoryOwnerIdentifier,
		Ref: c.SourceRepositoryRef, Trigger: c.BuildTrigger, RunnerEnvironment: c.RunnerEnvironment,
	}
	for _, text := range []string{s.Issuer, s.Subject, s.Repository, s.RepositoryID, s.OwnerID, s.Ref, s.Trigger, s.RunnerEnvironment} {
		if !utf8.ValidString(text) {
			return nil, invalid("certificate: %.200q is not UTF-8", text)
		}
	}
	if s.Issuer == "" {
		return nil, invalid("certificate: no issuer of the identity")
	}
	if len(result.VerifiedTimestamps) == 0 {
		return nil, invalid("no verified time")
	}
	first := result.VerifiedTimestamps[0].Timestamp
	for _, t := range result.VerifiedTimestamps {
		if t.Timestamp.Before(first) {
			first = t.Timestamp
		}
	}
	s.Time = first.UTC().Format(time.RFC3339)
	return s, nil
}

var (
	subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
	// issuerV1 is the extension that certificate.OIDIssuerV2 replaces; both are in use.
	issuerV1 = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
)

// checkNames checks that a certificate has one name and one issuer of it. Of several names
// sigstore-go returns one, and of the two extensions for the issuer the last.
func checkNames(leaf *x509.Certificate) error {
	var old, current string
	names := 0
	for _, e := range leaf.Extensions {
		switch {
		case e.Id.Equal(subjectAltName):
			var all []asn1.RawValue
			if rest, err := asn1.Unmarshal(e.Value, &all); err != nil || len(rest) > 0 {
				return invalid("certificate: malformed names")
			}
			names = len(all)
		case e.Id.Equal(issuerV1):
			old = string(e.Value)
		case e.Id.Equal(certificate.OIDIssuerV2):
			if err := certificate.ParseDERString(e.Value, &current); err != nil {
				return invalid("certificate: %w", err)
			}
		}
	}
	switch {
	case names != 1:
		return invalid("certificate: %d names, not one", names)
	case old != "" && current != "" && old != current:
		return invalid("certificate: two issuers, %.200q and %.200q", old, current)
	}
	return nil
}

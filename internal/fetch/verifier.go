package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
)

// A Verifier decides which signatures count. A Fetcher with one gives out a pack only after
// Verify has accepted one of its signatures. packfetch.SignedBy makes one from public keys.
type Verifier interface {
	// Verify returns nil if the signature is valid, if somebody made it whom the program
	// trusts, and if it is about the subject: its layer, its manifest or its index. Else
	// the error says why not, and the Fetcher tries the next signature. Whoever can push
	// to the repository chooses what is tried. Verify may be called concurrently.
	Verify(ctx context.Context, subject Subject, s Signature) error
}

// A Subject is the pack that a signature has to be about. Its manifest selects its layer.
type Subject struct {
	Reference      string        // as the caller gave it
	ManifestDigest ociref.Digest // of Manifest
	Manifest       []byte
	IndexDigest    ociref.Digest // of Index; "" if the reference did not lead to an index
	Index          []byte        // the image index that lists the manifest
	Layer          Layer
}

// A Signature is what may be a signature of a pack. Nothing in it is verified.
type Signature struct {
	Format signature.Format
	Place  string // where it was found, in words
	// MediaType and Annotations are those of the layer that holds Payload. Where the
	// manifest of the pack holds it, they are empty.
	MediaType   string
	Annotations map[string]string
	// Payload is the annotation's value for GreenticDSSE, the bundle for SigstoreBundle,
	// and for CosignSimpleSigning the bytes that the signature in Annotations is over.
	Payload []byte
}

// verify checks that the Verifier, if there is one, accepts a signature of the pack.
func (f *Fetcher) verify(ctx context.Context, p *Resolved) error {
	switch {
	case f.verifier == nil:
		return nil
	case p.body == nil:
		return &OfflineError{Reference: p.Reference.Text(), NoManifest: true}
	}
	var verdicts []Verdict
	result, err := f.SearchSignatures(ctx, p, func(c referrers.Candidate) bool {
		err := f.verifier.Verify(ctx, p.subject(), Signature{
			Format: c.Format, Place: c.Place.String(), MediaType: c.MediaType, Annotations: c.Annotations, Payload: c.Payload,
		})
		if err != nil {
			verdicts = append(verdicts, Verdict{Signature: c.String(), Err: err})
		}
		return err == nil
	})
	if err != nil {
		return fmt.Errorf("cannot use %s: %w", p.Reference.Text(), err)
	}
	if _, accepted := result.(*referrers.Stopped); accepted {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var looked []string
	for _, a := range result.Answers() {
		looked = append(looked, a.String())
		for _, r := range a.Refused {
			verdicts = append(verdicts, Verdict{Signature: a.Place.String(), Err: errors.New(r.String())})
		}
	}
	if f.offline {
		return &OfflineError{Reference: p.Reference.Text(), Signatures: true, Verdicts: verdicts}
	}
	if incomplete, ok := result.(*referrers.Incomplete); ok {
		return &UnsearchedError{Reference: p.Reference.Text(), Verdicts: verdicts, Looked: looked, Err: incomplete}
	}
	return &UnsignedError{Reference: p.Reference.Text(), Verdicts: verdicts, Looked: looked}
}

// subject returns the pack for a Verifier, which may keep it.
func (p *Resolved) subject() Subject {
	return Subject{
		Reference:      p.Reference.Text(),
		ManifestDigest: p.ManifestDigest, Manifest: bytes.Clone(p.body),
		IndexDigest: p.IndexDigest, Index: bytes.Clone(p.index),
		Layer: p.Layer,
	}
}

// A Verdict says why a signature does not count.
type Verdict struct {
	Signature string // what it is and where it was found, in words
	Err       error  // of the Verifier, or what is wrong with the artifact
}

func (v Verdict) String() string { return v.Signature + ": " + v.Err.Error() }

// An UnsignedError reports a pack of whose signatures Options.Verifier accepts none. Every
// place where signatures may be was searched.
type UnsignedError struct {
	Reference string
	Verdicts  []Verdict // one for each signature; none if there is no signature
	Looked    []string  // each place, and what it had
}

func (e *UnsignedError) Error() string {
	text := e.Reference + " is not signed"
	if len(e.Verdicts) > 0 {
		text = fmt.Sprintf("no signature of %s is accepted", e.Reference)
	}
	return text + verdictLines(e.Verdicts) + placeLines(e.Looked)
}

// An UnsearchedError reports a pack that may be signed: Options.Verifier accepts no
// signature that was found, and not every place could be searched to its end.
type UnsearchedError struct {
	Reference string
	Verdicts  []Verdict // one for each signature
	Looked    []string  // each place, and what it had
	Err       error     // of all places that were not searched to their ends
}

func (e *UnsearchedError) Error() string {
	return fmt.Sprintf("%s is not fully searched for signatures", e.Reference) + verdictLines(e.Verdicts) + placeLines(e.Looked)
}

// Unwrap returns the first request that failed, if one did. Whatever else a registry does
// wrong has no consequence: the pack may be signed all the same.
func (e *UnsearchedError) Unwrap() error {
	var failed *registry.Error
	if errors.As(e.Err, &failed) {
		return failed
	}
	return nil
}

func verdictLines(verdicts []Verdict) string {
	var b strings.Builder
	for _, v := range verdicts {
		b.WriteString("\n\t" + indented(v.String()))
	}
	return b.String()
}

func placeLines(looked []string) string {
	var b strings.Builder
	for _, place := range looked {
		b.WriteString("\n\tlooked at " + indented(place))
	}
	return b.String()
}

// indented returns a text whose lines after the first stay below it.
func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n\t\t") }

// Package referrers finds what is attached to a manifest in its repository and may be its
// signature. It judges no signature.
//
// The places and forms are those of these pages:
//
//   - greentic-distributor-client, src/signing.rs: an annotation of the manifest itself;
//   - https://github.com/opencontainers/distribution-spec/blob/main/spec.md, "Listing
//     Referrers" and "Referrers Tag Schema": artifacts whose subject is the manifest, as
//     an API or under the tag sha256-HEX;
//   - https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md, "Storage": such
//     an artifact with one layer, a bundle (written by pkg/oci/remote/write.go there);
//   - https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md, "Storage": the
//     tag sha256-HEX.sig, each layer of which is the payload of a signature, which stands
//     in its annotation (pkg/oci/static/signature.go there). In its mode oci-1-1 cosign
//     makes an artifact with a subject of it (WriteSignaturesExperimentalOCI).
//
// Whoever can push to the repository decides what is found, and so does the registry. All
// of it is bounded and hashed. A place that cannot be searched to its end is never an
// empty one: see [Result].
package referrers

import (
	"context"
	"fmt"
	"io"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/verified"
)

// Bounds of one place. More is not looked at, and the place is cut off.
const (
	maxCandidates = 32
	maxSize       = signature.MaxSize // of an artifact's manifest and of its payload, each
)

// A Candidate may be a signature of the manifest. Its bytes are those that the place
// lists; nothing else is proved.
type Candidate struct {
	Format   signature.Format // of a Bundle, the version may be any
	Place    Place
	Artifact ociref.Digest // of the manifest that holds it; "" for Greentic
	Manifest []byte        // the bytes of that manifest; nil for Greentic
	Layer    ociref.Digest // of Payload; "" for Greentic
	// MediaType is the layer's: of a bundle, it names the version.
	MediaType string
	// Annotations are the layer's. Those of a Simple one hold the signature, and the
	// certificate, if there is one.
	Annotations map[string]string
	Payload     []byte // the annotation's value, the bundle, or the signed bytes
}

// String names the candidate by its artifact, or else by its place.
func (c Candidate) String() string {
	if c.Artifact == "" {
		return fmt.Sprintf("%s in %s", c.Format, c.Place)
	}
	return fmt.Sprintf("%s in %s", c.Format, c.Artifact)
}

// A Subject is the manifest whose signatures are wanted.
type Subject struct {
	Manifest []byte        // its exact bytes
	Index    ociref.Digest // of the index that lists it; "" if none does
}

// A Client reads what a repository has: [registry.Client] is one. Each method asks the
// repository that the reference names.
type Client interface {
	Manifest(ctx context.Context, ref ociref.Reference) (registry.Manifest, error)
	Blob(ctx context.Context, ref ociref.Reference, want verified.Content, w registry.Sink, kept io.Reader) error
	Referrers(ctx context.Context, ref ociref.Reference, subject ociref.Digest, artifactType string) ([]registry.Descriptor, error)
}

// Search gives judge one candidate after the other, until judge returns true or all places
// are searched. The places are the manifest's own annotation, for which there is no
// request, and in each of the repositories, in their order: the referrers API for the
// index and the manifest, the tag that lists the referrers of each, and the tag of the
// older signatures of each. Within a place the digest of the artifact decides. An artifact
// that is found in several places is given once.
//
// The repositories hold the same content: mirrors, then the origin. An empty or invalid
// answer of one ends nothing. Search asks for their list only if the annotation is not enough.
// If none has anything, one of them must at least show the
// manifest: registries hide a private repository as if it were not there.
func Search(ctx context.Context, client Client, subject Subject, repositories func() []ociref.Reference, judge func(Candidate) bool) Result {
	s := &search{client: client, subject: subject, judge: judge, known: map[ociref.Digest]bool{}}
	s.digests = []ociref.Digest{ociref.DigestOf(subject.Manifest)}
	if subject.Index != "" && subject.Index != s.digests[0] {
		s.digests = []ociref.Digest{subject.Index, s.digests[0]}
	}
	s.look(ctx, Place{Kind: Annotation, Subject: s.digests[len(s.digests)-1]})
	if s.stopped {
		return &Stopped{s.answers}
	}
	list := repositories()
	for _, place := range s.places(list) {
		if s.look(ctx, place); s.stopped {
			return &Stopped{s.answers}
		}
	}
	if !s.isVisible() {
		s.lookAtManifest(ctx, list)
	}
	return s.end()
}

// A search is one call of Search.
type search struct {
	client  Client
	subject Subject
	digests []ociref.Digest // of the index, if there is one, and of the manifest
	judge   func(Candidate) bool

	answers []Answer
	answer  *Answer                // of the current place
	stopped bool                   // judge has what it wanted
	known   map[ociref.Digest]bool // artifacts that were read; true if they were given to judge
}

// places returns the places of the repositories, in their order.
func (s *search) places(repositories []ociref.Reference) []Place {
	var list []Place
	for _, repository := range repositories {
		repository.Tag, repository.Digest = "", ""
		for _, kind := range []Kind{API, ListTag, SignatureTag} {
			for _, digest := range s.digests {
				list = append(list, Place{Kind: kind, Repository: repository, Subject: digest})
			}
		}
	}
	return list
}

// look looks at a place.
func (s *search) look(ctx context.Context, place Place) {
	s.answer = &Answer{Place: place}
	switch place.Kind {
	case Annotation:
		s.lookAtAnnotation()
	case API:
		s.lookAtAPI(ctx)
	case ListTag:
		s.lookAtListTag(ctx)
	case SignatureTag:
		s.lookAtSignatureTag(ctx)
	}
	s.answers = append(s.answers, *s.answer)
}

// give gives a candidate to judge.
func (s *search) give(c Candidate) {
	s.answer.Candidates++
	c.Place = s.answer.Place
	s.stopped = s.judge(c)
}

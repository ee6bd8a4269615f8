package referrers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/strictjson"
)

// lookAtAnnotation finds the signature that the manifest carries itself. A manifest with
// the annotation is signed, whatever the annotation holds.
func (s *search) lookAtAnnotation() {
	var value string
	var has bool
	err := strictjson.Read(s.subject.Manifest, func(o strictjson.Object) {
		if !o.Has("annotations") {
			return
		}
		annotations := o.Object("annotations")
		if has = annotations.Has(signature.GreenticAnnotation); has {
			value = annotations.String(signature.GreenticAnnotation)
		}
	})
	switch {
	case err != nil:
		s.answer.refuse("", "the manifest: "+err.Error())
	case has:
		s.give(Candidate{Format: signature.Greentic, Payload: []byte(value)})
	}
}

// lookAtAPI finds the artifacts that the registry lists as referrers. Registries take
// longer lists than are read here: then it asks again for bundles alone, so that other
// artifacts do not hide them. The place is cut off all the same.
func (s *search) lookAtAPI(ctx context.Context) {
	a := s.answer
	list, err := s.client.Referrers(ctx, a.Place.Repository, a.Place.Subject, "")
	var none *registry.NoReferrersAPIError
	if errors.As(err, &none) {
		a.Missing = none.Error()
		return
	}
	var limit *registry.LimitError
	switch {
	case errors.As(err, &limit):
		a.fail(&LimitError{Reason: limit.Error()})
		bundles, _ := s.client.Referrers(ctx, a.Place.Repository, a.Place.Subject, signature.BundleMediaType)
		list = append(list, bundles...)
	case err != nil:
		a.fail(err)
	}
	list = ordered(list)
	candidates := slices.DeleteFunc(slices.Clone(list), func(d registry.Descriptor) bool { return !mayBeSignature(d.ArtifactType) })
	a.Others += len(list) - len(candidates)
	s.lookAtList(ctx, candidates)
}

// ordered returns a list in the order of the digests, each once.
func ordered(list []registry.Descriptor) []registry.Descriptor {
	slices.SortStableFunc(list, func(a, b registry.Descriptor) int { return strings.Compare(a.Digest, b.Digest) })
	return slices.CompactFunc(list, func(a, b registry.Descriptor) bool { return a.Digest == b.Digest })
}

// mayBeSignature tells whether an artifact whose type the registry has from its manifest
// may hold a signature. Some registries have the type of the configuration instead, as
// go-containerregistry's: it is empty, or an image's.
func mayBeSignature(artifactType string) bool {
	switch artifactType {
	case "", "application/vnd.oci.empty.v1+json", "application/vnd.oci.image.config.v1+json":
		return true
	}
	return signature.FormatOf(artifactType) == signature.Bundle || strings.HasPrefix(artifactType, "application/vnd.dev.cosign.")
}

// lookAtListTag finds the artifacts that clients list under a tag. Their types are what
// those clients wrote, some of them always the empty one: they say nothing.
func (s *search) lookAtListTag(ctx context.Context) {
	a := s.answer
	m, ok := s.tagged(ctx)
	if !ok {
		return
	}
	list, err := registry.ParseIndex(m)
	switch {
	case err != nil && len(m.Body) > maxSize:
		a.fail(&LimitError{Reason: fmt.Sprintf("an index of %d bytes cannot be read: %v", len(m.Body), err)})
		return
	case err != nil:
		// The specification: without a valid index there are no referrers.
		a.Missing = "the answer is no image index: " + err.Error()
		return
	}
	s.lookAtList(ctx, ordered(list))
}

// maxListed bounds the artifacts of a list that are looked at, like those of a list of the
// referrers API.
const maxListed = 256

// lookAtSignatureTag finds the signatures of cosign's older form.
func (s *search) lookAtSignatureTag(ctx context.Context) {
	a := s.answer
	m, ok := s.tagged(ctx)
	if !ok {
		return
	}
	if len(m.Body) > maxSize {
		a.fail(tooLarge("the manifest", int64(len(m.Body))))
		return
	}
	if given, known := s.known[m.Digest]; known && given {
		a.Known++
		return
	}
	artifact, err := readArtifact(m.Body)
	switch {
	case err != nil:
		a.refuse(string(m.Digest), err.Error())
	case !artifact.hasSignature():
		a.Others++
	default:
		s.lookAtLayers(ctx, m, artifact)
	}
}

// isVisible tells whether a registry has shown that the repository is there, or why it
// does not.
func (s *search) isVisible() bool {
	return slices.ContainsFunc(s.answers, func(a Answer) bool {
		return a.Place.Kind != Annotation && (a.Candidates+len(a.Refused)+a.Others+a.Known > 0 || a.Err != nil)
	})
}

// lookAtManifest looks whether the manifest itself is in one of the repositories.
func (s *search) lookAtManifest(ctx context.Context, repositories []ociref.Reference) {
	if len(repositories) == 0 {
		s.answers = append(s.answers, Answer{Err: errNowhere})
		return
	}
	digest := s.digests[len(s.digests)-1]
	var failed []Answer
	for _, repository := range repositories {
		repository.Tag, repository.Digest = "", ""
		_, err := s.client.Manifest(ctx, repository.WithDigest(digest))
		if err == nil {
			return
		}
		if isAbsent(err) {
			err = errHidden
		}
		failed = append(failed, Answer{Place: Place{Kind: Itself, Repository: repository, Subject: digest}, Err: err})
	}
	s.answers = append(s.answers, failed...)
}

// tagged reads the manifest under the place's tag.
func (s *search) tagged(ctx context.Context) (m registry.Manifest, ok bool) {
	a := s.answer
	m, err := s.client.Manifest(ctx, a.Place.Repository.WithTag(a.Place.tag()))
	switch {
	case isAbsent(err):
		a.Missing = "404 Not Found"
	case err != nil:
		a.fail(err)
	case slices.Contains(s.digests, m.Digest):
		// Of GitLab: https://github.com/oras-project/oras-go/issues/1396
		a.Missing = "the answer is the manifest itself"
		if m.Digest != s.digests[len(s.digests)-1] && m.Digest != a.Place.Subject {
			a.Missing = "the answer is the index that lists the manifest"
		}
	default:
		return m, true
	}
	return m, false
}

// lookAtList reads the artifacts of a list.
func (s *search) lookAtList(ctx context.Context, list []registry.Descriptor) {
	if len(list) > maxListed {
		s.answer.fail(&LimitError{Reason: fmt.Sprintf("more than %d referrers", maxListed)})
		list = list[:maxListed]
	}
	for _, d := range list {
		if s.lookAtArtifact(ctx, d); s.stopped || s.answer.closed {
			return
		}
	}
}

// lookAtArtifact reads one artifact that the place lists. An index is none: what it lists
// is not looked for.
func (s *search) lookAtArtifact(ctx context.Context, d registry.Descriptor) {
	a := s.answer
	if d.MediaType != manifestType {
		a.Others++
		return
	}
	digest, err := ociref.ParseDigest(d.Digest)
	if err != nil {
		a.refuse(printable.Quote(d.Digest, maxQuoted), "its digest is not sha256: and 64 hexadecimal digits")
		return
	}
	if given, known := s.known[digest]; known {
		if given {
			a.Known++
		} else {
			a.Others++
		}
		return
	}
	if d.Size > maxSize {
		a.fail(tooLarge("artifact "+d.Digest, d.Size))
		return
	}
	m, err := s.client.Manifest(ctx, a.Place.Repository.WithDigest(digest))
	if err != nil {
		s.unread(d.Digest, "the artifact", err)
		return
	}
	if int64(len(m.Body)) != d.Size {
		a.refuse(d.Digest, fmt.Sprintf("it has %d bytes, listed are %d", len(m.Body), d.Size))
		return
	}
	artifact, err := readArtifact(m.Body)
	switch {
	case err != nil:
		a.refuse(d.Digest, err.Error())
	case !artifact.hasSignature():
		s.known[digest] = false
		a.Others++
	case artifact.subject == "":
		a.refuse(d.Digest, "it has no subject")
	case artifact.subject != string(a.Place.Subject):
		a.refuse(d.Digest, "its subject is "+printable.Phrase(artifact.subject, maxQuoted))
	default:
		s.lookAtLayers(ctx, m, artifact)
	}
}

// maxQuoted bounds the bytes of foreign text in a message.
const maxQuoted = 120

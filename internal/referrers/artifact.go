package referrers

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/internal/strictjson"
	"github.com/greenticai/packvendor/internal/verified"
)

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// An artifact is a manifest that may hold signatures, as far as it is read.
type artifact struct {
	subject string // the digest, as written; "" if there is none
	layers  []layer
}

// A layer is one of an artifact. Of those that are no signatures only the media type is
// read.
type layer struct {
	mediaType   string
	digest      ociref.Digest
	size        int64
	annotations map[string]string
}

// format returns the format of the signature that a layer is; "" for none. Which version
// of a bundle counts is not decided here.
func (l layer) format() signature.Format { return signature.FormatOf(l.mediaType) }

func (a artifact) hasSignature() bool {
	for _, l := range a.layers {
		if l.format() != "" {
			return true
		}
	}
	return false
}

// readArtifact reads an image manifest.
func readArtifact(body []byte) (a artifact, err error) {
	err = strictjson.Read(body, func(o strictjson.Object) {
		if o.Has("mediaType") && o.String("mediaType") != manifestType {
			o.Fail("mediaType", "not %s", manifestType)
		}
		if o.Has("subject") {
			a.subject = o.Object("subject").String("digest")
		}
		for _, entry := range o.Objects("layers") {
			l := layer{mediaType: entry.String("mediaType")}
			if l.format() != "" {
				l.read(entry)
			}
			a.layers = append(a.layers, l)
		}
	})
	return a, err
}

func (l *layer) read(entry strictjson.Object) {
	digest, err := ociref.ParseDigest(entry.String("digest"))
	if err != nil {
		entry.Fail("digest", "not sha256: and 64 hexadecimal digits")
	}
	l.digest, l.size = digest, int64(entry.Int("size"))
	if entry.Has("annotations") {
		l.annotations = entry.StringMap("annotations")
	}
}

// lookAtLayers gives the signatures of an artifact to judge. A bundle is the only layer of
// its artifact; cosign puts all its older signatures into one.
func (s *search) lookAtLayers(ctx context.Context, m registry.Manifest, from artifact) {
	a, name := s.answer, string(m.Digest)
	all := true
	for _, l := range from.layers {
		format := l.format()
		switch {
		case format == "":
			continue
		case format == signature.Bundle && len(from.layers) != 1:
			a.refuse(name, fmt.Sprintf("it has %d layers, with a bundle there is one", len(from.layers)))
			return
		case l.size > maxSize:
			a.fail(tooLarge("layer "+string(l.digest), l.size))
			all = false
			continue
		case a.Candidates == maxCandidates:
			a.fail(&LimitError{Reason: fmt.Sprintf("more than %d candidates", maxCandidates)})
			a.closed = true
			return
		}
		var payload memory
		if err := s.client.Blob(ctx, a.Place.Repository, verified.Content{Digest: l.digest, Size: l.size}, &payload, nil); err != nil {
			s.unread(name, "layer "+string(l.digest), err)
			if all = false; a.closed {
				return
			}
			continue
		}
		s.give(Candidate{
			Format: format, Artifact: m.Digest, Manifest: m.Body, Layer: l.digest,
			MediaType: l.mediaType, Annotations: l.annotations, Payload: payload.Bytes(),
		})
		if s.stopped {
			return
		}
	}
	if all {
		s.known[m.Digest] = true
	}
}

// memory is a blob in memory. The size in its descriptor bounds it.
type memory struct{ bytes.Buffer }

func (m *memory) Reset() error {
	m.Buffer.Reset()
	return nil
}

// unread records why a part of an artifact could not be read. That the registry does not
// have what is listed, or has other bytes under its digest, is an answer. After a failure
// that was given up after several tries, the next request would take as many.
func (s *search) unread(artifact, part string, err error) {
	a := s.answer
	var mismatch *verified.MismatchError
	var e *registry.Error
	switch {
	case isAbsent(err):
		a.refuse(artifact, "the registry does not have "+part)
	case errors.As(err, &mismatch):
		a.refuse(artifact, fmt.Sprintf("%s is not what is listed: %s", part, difference(mismatch)))
	default:
		a.fail(err)
		a.closed = a.closed || errors.As(err, &e) && (e.Tries > 0 || e.Status == 0)
	}
}

// difference is a mismatch in a part of a line.
func difference(e *verified.MismatchError) string {
	switch {
	case e.Over:
		return fmt.Sprintf("more than %d bytes came", e.Want.Size)
	case e.Got.Size != e.Want.Size:
		return fmt.Sprintf("%d bytes came, not %d", e.Got.Size, e.Want.Size)
	}
	return fmt.Sprintf("its digest is %s", e.Got.Digest)
}

// isAbsent tells whether a registry says, beyond doubt, that it does not have something.
func isAbsent(err error) bool {
	var e *registry.Error
	return errors.As(err, &e) && e.IsAbsent()
}

func tooLarge(what string, size int64) error {
	return &LimitError{Reason: fmt.Sprintf("%s has %d bytes, more than %d", what, size, maxSize)}
}

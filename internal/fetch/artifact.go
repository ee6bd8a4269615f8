package fetch

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/sources"
	"github.com/greenticai/packvendor/internal/verified"
)

// An Artifact is all that a registry stores for a manifest or an image index.
type Artifact struct {
	MediaType string         // of the first manifest
	Manifests []ManifestBody // the first is the one that was asked for; each once
	Blobs     []ArtifactBlob // which the manifests list, each once
}

// A ManifestBody is the bytes of a manifest or an index, which have the digest.
type ManifestBody struct {
	Digest ociref.Digest
	Body   []byte
}

// An ArtifactBlob is a blob that a manifest lists.
type ArtifactBlob struct {
	verified.Content
	// Known are the bytes of a small blob if the manifest, or the digest alone, says what they
	// are; else nil.
	Known []byte
}

// ReadArtifact follows a manifest or an image index to everything that it lists. read
// returns the manifest with a digest. Errors are those of read, *ManifestError,
// *NoPackError, *IndexError.
func ReadArtifact(ctx context.Context, root ociref.Digest, read func(context.Context, ociref.Digest) ([]byte, error)) (*Artifact, error) {
	w := &walk{read: read, manifests: map[ociref.Digest]bool{}, blobs: map[verified.Content]bool{}}
	if err := w.follow(ctx, root, unknownSize, true); err != nil {
		return nil, err
	}
	return &w.Artifact, nil
}

// unknownSize is the size of a manifest that no index lists.
const unknownSize = -1

// A walk collects an artifact.
type walk struct {
	Artifact
	read      func(context.Context, ociref.Digest) ([]byte, error)
	manifests map[ociref.Digest]bool
	blobs     map[verified.Content]bool
}

func (w *walk) follow(ctx context.Context, digest ociref.Digest, size int64, mayList bool) error {
	if w.manifests[digest] {
		return nil
	}
	w.manifests[digest] = true
	body, err := w.read(ctx, digest)
	if err != nil {
		return err
	}
	if size != unknownSize && int64(len(body)) != size {
		return &ManifestError{Reason: fmt.Sprintf("child %s has %d bytes, the index says %d", digest, len(body), size)}
	}
	m, err := parseManifest(body, "")
	if err != nil {
		return err
	}
	w.Manifests = append(w.Manifests, ManifestBody{Digest: digest, Body: body})
	if mayList {
		w.MediaType = m.mediaType
	}
	switch {
	case !m.index:
		return w.list(m)
	case !mayList:
		return &IndexError{Reason: "is nested: it lists another index", Children: m.children}
	case len(m.children) > maxChildren:
		return &IndexError{Reason: fmt.Sprintf("has %d children, more than %d", len(m.children), maxChildren)}
	}
	for _, child := range m.children {
		digest, err := ociref.ParseDigest(child.Digest)
		if err != nil {
			return &ManifestError{Reason: fmt.Sprintf("child: %v", err)}
		}
		if child.Size < 0 {
			return &ManifestError{Reason: fmt.Sprintf("child %s: its size is missing or not a number of bytes", digest)}
		}
		if err := w.follow(ctx, digest, child.Size, false); err != nil {
			return err
		}
	}
	return nil
}

// list adds the blobs of a manifest.
func (w *walk) list(m *manifest) error {
	for _, l := range m.blobs {
		digest, err := ociref.ParseDigest(l.Digest)
		if err != nil {
			return &ManifestError{Reason: fmt.Sprintf("blob of type %s: %v", printable.Quote(l.MediaType, maxQuoted), err)}
		}
		if l.Size < 0 {
			return &ManifestError{Reason: fmt.Sprintf("blob %s: its size is missing or not a number of bytes", digest)}
		}
		content := verified.Content{Digest: digest, Size: l.Size}
		if !w.blobs[content] {
			w.blobs[content] = true
			w.Blobs = append(w.Blobs, ArtifactBlob{Content: content, Known: known(content, l.data)})
		}
	}
	return nil
}

// known returns the bytes of a blob that its descriptor embeds, or that its digest alone
// tells; nil if neither does.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor
func known(content verified.Content, data string) []byte {
	embedded, err := base64.StdEncoding.DecodeString(data)
	for _, candidate := range [][]byte{{}, []byte("{}"), embedded} {
		if err == nil && int64(len(candidate)) == content.Size && ociref.DigestOf(candidate) == content.Digest {
			return candidate
		}
	}
	return nil
}

// ManifestOf returns the manifest or index that a reference names by its digest, from the
// cache, a bundle or else from the registry. Errors are those of Resolve.
func (f *Fetcher) ManifestOf(ctx context.Context, ref ociref.Reference) ([]byte, error) {
	m, err := f.manifest(ctx, ref, "")
	var offline *OfflineError
	if err != nil && !errors.As(err, &offline) {
		err = fmt.Errorf("cannot resolve %s: %w", ref, err)
	}
	return m.Body, err
}

// CopyBlob copies a blob of a repository to dst, from a bundle or else from the registry.
// fetched and the errors are those of Copy.
func (f *Fetcher) CopyBlob(ctx context.Context, ref ociref.Reference, content verified.Content, dst Sink) (fetched bool, err error) {
	if f.offline && !f.bundles.Has(content.Digest) {
		return false, f.offlineError(ref.Name() + "@" + string(content.Digest))
	}
	blob := &Resolved{Reference: ref, ref: ref, Layer: Layer{Digest: string(content.Digest), Size: content.Size}}
	from, err := f.transfer(ctx, blob, f.count(blob, dst), nil)
	return from.Role != sources.Stored, err
}

// OpenCached opens the pack in the cache's entry of a manifest and returns its size in bytes.
// The bytes prove nothing.
func (f *Fetcher) OpenCached(manifest ociref.Digest) (io.ReadCloser, int64, error) {
	return f.cache.OpenPack(manifest)
}

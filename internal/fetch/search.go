package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
)

// maxChildren bounds the manifests that a search reads for one index.
const maxChildren = 64

// A search finds the one pack that a manifest, or an index, leads to.
type search struct {
	*Fetcher
	layer string // that of Resolve
	// read returns the manifest that a reference names.
	read func(context.Context, ociref.Reference) (registry.Manifest, error)
}

// search reads manifests from the cache or the registry.
func (f *Fetcher) search(layer string) *search {
	return &search{f, layer, func(ctx context.Context, ref ociref.Reference) (registry.Manifest, error) {
		return f.manifest(ctx, ref, layer)
	}}
}

// resolve is Resolve of a reference whose tag is allowed.
func (s *search) resolve(ctx context.Context, ref ociref.Reference) (*Resolved, error) {
	switch {
	case ref.Digest == "" && ref.Tag == "":
		return nil, &ociref.SyntaxError{Reference: ref.Text(), Reason: "it has neither a tag nor a digest"}
	case ref.Digest == "" && s.offline:
		return nil, &OfflineError{Reference: ref.Text(), Tag: true}
	}
	m, err := s.read(ctx, ref)
	var offline *OfflineError
	if errors.As(err, &offline) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot resolve %s: %w", ref.Text(), err)
	}
	pack := &Resolved{Reference: ref, ManifestDigest: m.Digest}
	if ref.Digest == "" {
		pack.Tag = ref.Tag
	}
	if err := s.resolveManifest(ctx, pack, ref, m); err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref.Text(), err)
	}
	return pack, nil
}

// resolveManifest fills pack in from the manifest, or from the one child of the index
// that holds a pack.
func (s *search) resolveManifest(ctx context.Context, pack *Resolved, ref ociref.Reference, read registry.Manifest) error {
	m, err := parseManifest(read.Body, read.MediaType)
	if err != nil {
		return err
	}
	if !m.index {
		return pack.pickLayer(ref, read.Body, m, s.accept, s.layer)
	}
	pack.IndexDigest = pack.ManifestDigest
	return s.resolveIndex(ctx, pack, ref, m.children)
}

// pickLayer fills p in from manifest m, whose bytes are body.
func (p *Resolved) pickLayer(ref ociref.Reference, body []byte, m *manifest, accept []string, layer string) error {
	if m.index {
		return &IndexError{Reason: "is nested", Children: m.children}
	}
	sel, err := selectPack(m.layers, accept, layer)
	if err != nil {
		return err
	}
	p.Layer, p.Layers, p.Annotations = sel.layer, m.layers, m.annotations
	p.ref = ref.WithDigest(p.ManifestDigest)
	p.body, p.shared, p.byRules = body, sel.shared, layer == ""
	return nil
}

// resolveIndex follows an index to the one child that holds a pack.
// Attestations and other manifests about manifests do not count.
func (s *search) resolveIndex(ctx context.Context, pack *Resolved, ref ociref.Reference, children []Child) error {
	if len(children) > maxChildren {
		return &IndexError{Reason: fmt.Sprintf("has %d children, more than %d", len(children), maxChildren)}
	}
	var found *Resolved
	seen := map[string]bool{}
	for _, child := range children {
		if child.attestation || seen[child.Digest] {
			continue
		}
		seen[child.Digest] = true
		candidate, err := s.resolveChild(ctx, *pack, ref, child)
		var index *IndexError
		var none *NoPackError
		switch {
		case errors.As(err, &index):
			return &IndexError{Reason: "is nested: it lists another index", Children: children}
		case errors.As(err, &none):
		case err != nil:
			return err
		case candidate == nil:
		case found != nil:
			return &IndexError{Reason: "lists several packs", Children: children, Pack: found.ref.String()}
		default:
			found = candidate
		}
	}
	if found == nil {
		return &IndexError{Reason: "lists no pack", Children: children}
	}
	*pack = *found
	return nil
}

// resolveChild reads one child of an index; it returns nil if the child is about another
// manifest.
func (s *search) resolveChild(ctx context.Context, pack Resolved, ref ociref.Reference, child Child) (*Resolved, error) {
	digest, err := ociref.ParseDigest(child.Digest)
	if err != nil {
		return nil, &ManifestError{Reason: fmt.Sprintf("child: %v", err)}
	}
	ref = ref.WithDigest(digest)
	read, err := s.read(ctx, ref)
	if err != nil {
		return nil, err
	}
	if int64(len(read.Body)) != child.Size {
		return nil, &ManifestError{Reason: fmt.Sprintf("child %s has %d bytes, the index says %d", digest, len(read.Body), child.Size)}
	}
	m, err := parseManifest(read.Body, read.MediaType)
	if err != nil || m.subject {
		return nil, err
	}
	pack.ManifestDigest = digest
	return &pack, pack.pickLayer(ref, read.Body, m, s.accept, s.layer)
}

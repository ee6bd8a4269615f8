package fetch

import (
	"context"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// A Resolved is a pack whose manifest was found in a registry or in the cache. Its bytes
// are yet to be fetched.
type Resolved struct {
	Reference      ociref.Reference // as the caller gave it
	Tag            string           // the tag that was resolved; "" if the reference has a digest
	IndexDigest    ociref.Digest    // of the image index that lists the manifest, if one does
	ManifestDigest ociref.Digest    // of the manifest that holds the layer
	Layer          Layer            // the pack's
	Layers         []Layer          // all of the manifest's
	Annotations    map[string]string

	ref     ociref.Reference // by manifest digest
	body    []byte           // of the manifest; nil if unknown
	shared  bool             // the cache's entry of the manifest may hold the pack
	byRules bool             // the rules selected the layer
}

// Digest returns the digest that the reference itself names: the index's, if there is
// one, else the manifest's.
func (p *Resolved) Digest() ociref.Digest {
	if p.IndexDigest != "" {
		return p.IndexDigest
	}
	return p.ManifestDigest
}

func (p *Resolved) content() verified.Content {
	return verified.Content{Digest: ociref.Digest(p.Layer.Digest), Size: p.Layer.Size}
}

// Resolve finds the pack that ref names: by its digest if it has one,
// in the cache or the registry; else by its tag, in the registry. layer, a
// media type or a layer digest, selects the layer; "" leaves it to the rules.
// Errors are those of Copy, and *ociref.SyntaxError, *TagDisallowedError,
// *NoPackError, *IndexError, *ManifestError.
func (f *Fetcher) Resolve(ctx context.Context, ref ociref.Reference, layer string) (*Resolved, error) {
	if err := f.checkTagAllowed(ref); err != nil {
		return nil, err
	}
	return f.search(layer).resolve(ctx, ref)
}

func (f *Fetcher) checkTagAllowed(ref ociref.Reference) error {
	if ref.Digest == "" && ref.Tag != "" && !f.allowTags {
		return &TagDisallowedError{Reference: ref.Text()}
	}
	return nil
}

// ResolveRemote is Resolve without the cache.
func (f *Fetcher) ResolveRemote(ctx context.Context, ref ociref.Reference, layer string) (*Resolved, error) {
	if f.offline {
		return nil, &OfflineError{Reference: ref.Text()}
	}
	if err := f.checkTagAllowed(ref); err != nil {
		return nil, err
	}
	remote := &search{f, layer, f.registry.Manifest}
	return remote.resolve(ctx, ref)
}

// ResolveCached is Resolve of a manifest in the cache, without network. The error is
// fs.ErrNotExist if the cache does not hold exactly that manifest.
func (f *Fetcher) ResolveCached(ref ociref.Reference, manifest ociref.Digest, layer string) (*Resolved, error) {
	body, err := f.cache.Manifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Text(), errNotCached)
	}
	pack := &Resolved{Reference: ref, ManifestDigest: manifest}
	m, err := parseManifest(body, "")
	if err == nil {
		err = pack.pickLayer(ref, body, m, f.accept, layer)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref.Text(), err)
	}
	return pack, nil
}

// CachedAnnotations returns the annotations of a manifest in the cache; nil if the cache
// does not hold exactly that manifest.
func (f *Fetcher) CachedAnnotations(manifest ociref.Digest) map[string]string {
	body, err := f.cache.Manifest(manifest)
	if err != nil {
		return nil
	}
	m, err := parseManifest(body, "")
	if err != nil {
		return nil
	}
	return m.annotations
}

// Pinned returns a pack from the data of a lock file, without its manifest's bytes. Copy
// finds it in the cache only.
func (f *Fetcher) Pinned(ref ociref.Reference, manifest ociref.Digest, layer Layer, override string) (*Resolved, error) {
	p := &Resolved{Reference: ref, ManifestDigest: manifest, Layer: layer, shared: override == ""}
	p.ref = ref.WithDigest(manifest)
	return p, checkLayer(layer)
}

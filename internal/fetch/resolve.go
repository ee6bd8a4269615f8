package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// maxChildren bounds how many manifests an index makes one read.
const maxChildren = 64

// A Pack is a pack found in a registry or in the cache, not yet its bytes.
type Pack struct {
	Reference      ociref.Reference // as it was given
	Tag            string           // the tag that was followed; "" if a digest was
	IndexDigest    ociref.Digest    // of the image index that led here, if one did
	ManifestDigest ociref.Digest    // of the manifest that holds the layer
	Layer          Layer            // the pack's
	Layers         []Layer          // all of the manifest's
	Annotations    map[string]string

	ref     ociref.Reference // by manifest digest
	body    []byte           // of the manifest; nil if it is not at hand
	shared  bool             // the cache's entry of the manifest may hold the pack
	byRules bool             // the layer was not named
}

// Digest returns the digest of what the reference itself names: the index, if
// one led here, else the manifest.
func (p *Pack) Digest() ociref.Digest {
	if p.IndexDigest != "" {
		return p.IndexDigest
	}
	return p.ManifestDigest
}

func (p *Pack) content() verified.Content {
	return verified.Content{Digest: ociref.Digest(p.Layer.Digest), Size: p.Layer.Size}
}

// Resolve finds the pack that ref names: by its digest if it has one,
// in the cache or the registry; else by its tag, in the registry. layer, a
// media type or a layer digest, selects the layer; "" leaves it to the rules.
// Errors are those of Copy, and *InvalidReferenceError, *TagDisallowedError,
// *NoPackError, *IndexError, *ManifestError.
func (f *Fetcher) Resolve(ctx context.Context, ref ociref.Reference, layer string) (*Pack, error) {
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
func (s *search) resolve(ctx context.Context, ref ociref.Reference) (*Pack, error) {
	switch {
	case ref.Digest == "" && ref.Tag == "":
		return nil, &InvalidReferenceError{Reference: ref.Text(), Reason: "it has neither a tag nor a digest"}
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
	pack := &Pack{Reference: ref, ManifestDigest: m.Digest}
	if ref.Digest == "" {
		pack.Tag = ref.Tag
	}
	if err := s.find(ctx, pack, ref, m); err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref.Text(), err)
	}
	return pack, nil
}

// ResolveRemote is Resolve of what the registry has, whatever the cache holds.
func (f *Fetcher) ResolveRemote(ctx context.Context, ref ociref.Reference, layer string) (*Pack, error) {
	if f.offline {
		return nil, &OfflineError{Reference: ref.Text()}
	}
	if err := f.checkTagAllowed(ref); err != nil {
		return nil, err
	}
	remote := &search{f, layer, f.registry.Manifest}
	return remote.resolve(ctx, ref)
}

// ResolveCached is Resolve of the manifest with the given digest without any
// network. The error is fs.ErrNotExist if the cache does not hold exactly
// those bytes.
func (f *Fetcher) ResolveCached(ref ociref.Reference, manifest ociref.Digest, layer string) (*Pack, error) {
	body, err := f.cache.Manifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Text(), errNotCached)
	}
	pack := &Pack{Reference: ref, ManifestDigest: manifest}
	m, err := parseManifest(body, "")
	if err == nil {
		err = pack.take(ref, body, m, f.accept, layer)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref.Text(), err)
	}
	return pack, nil
}

// CachedAnnotations returns the annotations of the manifest with the given digest, as
// the cache's copy of exactly those bytes has them; nil if there is none.
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

// Pinned returns a Pack of which all is known but the manifest's bytes, as
// from a lock file. Copy finds it in the cache, without network.
func (f *Fetcher) Pinned(ref ociref.Reference, manifest ociref.Digest, layer Layer, override string) (*Pack, error) {
	p := &Pack{Reference: ref, ManifestDigest: manifest, Layer: layer, shared: override == ""}
	p.ref = ref.WithDigest(manifest)
	return p, checkLayer(layer)
}

// Follow resolves ref's tag, whatever digest it has besides, and returns
// nil if it still names digest. One HEAD request shows that it does; that it
// does not is believed of a manifest only. layer and errors are those of
// Resolve.
func (f *Fetcher) Follow(ctx context.Context, ref ociref.Reference, digest ociref.Digest, layer string) (*Pack, error) {
	ref = ref.WithTag(ref.Tag)
	if f.names(ctx, ref, digest) {
		return nil, nil
	}
	pack, err := f.search(layer).resolve(ctx, ref)
	if err != nil || pack.Digest() == digest {
		return nil, err
	}
	return pack, nil
}

// names tells whether one HEAD request shows that ref, a tag, names digest.
func (f *Fetcher) names(ctx context.Context, ref ociref.Reference, digest ociref.Digest) bool {
	if ref.Tag == "" || f.offline {
		return false
	}
	same, err := f.registry.Unchanged(ctx, ref, digest)
	return err == nil && same
}

// TagDigest is Follow for those who want to know what ref's tag names, whatever it
// is: it returns digest if it is still that, and else whether what it names now leads to
// a pack.
func (f *Fetcher) TagDigest(ctx context.Context, ref ociref.Reference, digest ociref.Digest, layer string) (now ociref.Digest, isPack bool, err error) {
	given := ref.Text()
	ref = ref.WithTag(ref.Tag)
	switch {
	case f.names(ctx, ref, digest):
		return digest, true, nil
	case ref.Tag == "":
		return "", false, &InvalidReferenceError{Reference: given, Reason: "it has no tag"}
	case f.offline:
		return "", false, &OfflineError{Reference: ref.String(), Tag: true}
	}
	m, err := f.registry.Manifest(ctx, ref)
	if err != nil {
		return "", false, fmt.Errorf("cannot resolve %s: %w", ref, err)
	}
	unusable := f.search(layer).find(ctx, &Pack{ManifestDigest: m.Digest}, ref, m)
	return m.Digest, unusable == nil, nil
}

// Tags lists the tags of ref's repository, whatever tag or digest it has
// besides, in the order in which the registry gives them. Errors are those of
// Resolve.
func (f *Fetcher) Tags(ctx context.Context, ref ociref.Reference) ([]string, error) {
	if f.offline {
		return nil, &OfflineError{Reference: ref.Name(), Tags: true}
	}
	tags, err := f.registry.Tags(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("cannot list the tags of %s: %w", ref.Name(), err)
	}
	return tags, nil
}

// manifest returns the bytes that ref names, from the cache where ref has a
// digest. What comes from the cache has no content type. layer is that of
// Resolve.
func (f *Fetcher) manifest(ctx context.Context, ref ociref.Reference, layer string) (registry.Manifest, error) {
	if ref.Digest == "" {
		return f.registry.Manifest(ctx, ref)
	}
	body, err := f.cachedManifest(ref)
	if err != nil || body != nil {
		return registry.Manifest{Body: body, Digest: ref.Digest}, err
	}
	return f.manifestOnce(ctx, ref, layer)
}

// manifestOnce asks the registry for a manifest by digest, and leaves it in the
// cache: of all who want it at the same time, goroutines and processes, one asks.
func (f *Fetcher) manifestOnce(ctx context.Context, ref ociref.Reference, layer string) (registry.Manifest, error) {
	unlock, err := f.flights.Lock(ctx, ref.Digest)
	if err != nil {
		return registry.Manifest{}, err
	}
	defer unlock()
	lock, err := f.lock(ctx, ref.Digest, ref.String())
	if err != nil {
		return registry.Manifest{}, err
	}
	defer lock.Unlock()
	body, cacheErr := f.cache.Manifest(ref.Digest)
	if cacheErr == nil {
		return registry.Manifest{Body: body, Digest: ref.Digest}, nil
	}
	m, err := f.registry.Manifest(ctx, ref)
	// That it cannot be left there is for the pack's bytes to tell.
	left := err == nil && f.holdsPack(m, layer) && f.cache.Heal(ref.Digest, lock, m.Body, nil) == nil
	var wrong *packcache.CorruptError
	errors.As(cacheErr, &wrong)
	f.corrupt(ref.String(), ref.Digest, wrong, left)
	return m, err
}

// holdsPack tells whether a pack may come to the cache by this manifest: it has
// no places for indexes, signatures and the like.
func (f *Fetcher) holdsPack(m registry.Manifest, layer string) bool {
	parsed, err := parseManifest(m.Body, m.MediaType)
	if err != nil || parsed.index || parsed.subject {
		return false
	}
	_, err = selectPack(parsed.layers, f.accept, layer)
	return err == nil
}

// cachedManifest returns the cache's manifest, nil if the registry is to be
// asked.
func (f *Fetcher) cachedManifest(ref ociref.Reference) ([]byte, error) {
	body, err := f.cache.Manifest(ref.Digest)
	if err == nil {
		return body, nil
	}
	var corrupt *packcache.CorruptError
	isCorrupt, isMissing := errors.As(err, &corrupt), packcache.IsMissing(err)
	switch {
	case f.offline && isCorrupt:
		return nil, corrupt
	case f.offline && !isMissing:
		return nil, &StorageError{Err: err}
	case f.offline:
		return nil, &OfflineError{Reference: ref.String(), NoManifest: f.cache.HasPack(ref.Digest)}
	case !isCorrupt && !isMissing:
		f.events(CacheUnusable{Reference: ref.String(), Err: err})
	}
	return nil, nil
}

// find fills pack in from the manifest, or from the one child of the index
// that holds a pack.
func (s *search) find(ctx context.Context, pack *Pack, ref ociref.Reference, read registry.Manifest) error {
	m, err := parseManifest(read.Body, read.MediaType)
	if err != nil {
		return err
	}
	if !m.index {
		return pack.take(ref, read.Body, m, s.accept, s.layer)
	}
	pack.IndexDigest = pack.ManifestDigest
	return s.findChild(ctx, pack, ref, m.children)
}

// take makes pack the one that manifest m, whose bytes are body, holds.
func (p *Pack) take(ref ociref.Reference, body []byte, m *manifest, accept []string, layer string) error {
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

// findChild follows an index to the one child that holds a pack.
// Attestations and other manifests about manifests do not count.
func (s *search) findChild(ctx context.Context, pack *Pack, ref ociref.Reference, children []Child) error {
	if len(children) > maxChildren {
		return &IndexError{Reason: fmt.Sprintf("has %d children, more than %d", len(children), maxChildren)}
	}
	var found *Pack
	seen := map[string]bool{}
	for _, child := range children {
		if child.attestation || seen[child.Digest] {
			continue
		}
		seen[child.Digest] = true
		candidate, err := s.child(ctx, *pack, ref, child)
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

// child reads one child of an index; nil if it is about another manifest.
func (s *search) child(ctx context.Context, pack Pack, ref ociref.Reference, child Child) (*Pack, error) {
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
	return &pack, pack.take(ref, read.Body, m, s.accept, s.layer)
}

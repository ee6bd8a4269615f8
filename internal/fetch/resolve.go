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
	index   []byte           // of the index; nil if there is none, or it is unknown
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

// ResolveRemote is Resolve without the cache. A Fetcher for it has no bundles.
func (f *Fetcher) ResolveRemote(ctx context.Context, ref ociref.Reference, layer string) (*Resolved, error) {
	if f.offline {
		return nil, &OfflineError{Reference: ref.Text()}
	}
	if err := f.checkTagAllowed(ref); err != nil {
		return nil, err
	}
	remote := &search{f, layer, f.sources.Manifest}
	return remote.resolve(ctx, ref)
}

// ResolveCached is Resolve of a manifest in the cache, without network. The error is
// fs.ErrNotExist if the cache does not hold exactly that manifest.
func (f *Fetcher) ResolveCached(ref ociref.Reference, manifest ociref.Digest, layer string) (*Resolved, error) {
	body, err := f.cache.Manifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Text(), errNotCached)
	}
	return f.ResolveKnown(ref, body, layer)
}

// ResolveKnown is Resolve of a manifest whose bytes the caller has.
func (f *Fetcher) ResolveKnown(ref ociref.Reference, body []byte, layer string) (*Resolved, error) {
	pack := &Resolved{Reference: ref, ManifestDigest: ociref.DigestOf(body)}
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

// FromLock returns a pack from the data of a lock file, without its manifest's bytes. Copy
// finds it in the cache only.
func (f *Fetcher) FromLock(ref ociref.Reference, manifest ociref.Digest, layer Layer, override string) (*Resolved, error) {
	p := &Resolved{Reference: ref, ManifestDigest: manifest, Layer: layer, shared: override == ""}
	p.ref = ref.WithDigest(manifest)
	return p, checkLayer(layer)
}

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
	pack.IndexDigest, pack.index = pack.ManifestDigest, read.Body
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

// manifest returns the manifest that ref names, from the cache or a bundle if ref has a digest. A
// manifest from there has no content type. layer is that of Resolve.
func (f *Fetcher) manifest(ctx context.Context, ref ociref.Reference, layer string) (registry.Manifest, error) {
	if ref.Digest == "" {
		return f.sources.Manifest(ctx, ref)
	}
	body, err := f.cachedManifest(ref)
	if body == nil {
		if m, ok, err := f.bundled(ref); ok || err != nil {
			return m, err
		}
	}
	if err != nil || body != nil {
		return registry.Manifest{Body: body, Digest: ref.Digest}, err
	}
	return f.manifestOnce(ctx, ref, layer)
}

// manifestOnce gets a manifest by digest from the registry, and stores it in the cache.
// Of concurrent goroutines and processes one sends the request.
func (f *Fetcher) manifestOnce(ctx context.Context, ref ociref.Reference, layer string) (registry.Manifest, error) {
	unlock, err := f.fetching.Lock(ctx, ref.Digest)
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
	m, err := f.sources.Manifest(ctx, ref)
	// If the cache cannot be written, storing the pack reports it.
	left := err == nil && f.holdsPack(m, layer) && f.cache.Heal(ref.Digest, lock, m.Body, nil) == nil
	var wrong *packcache.CorruptError
	errors.As(cacheErr, &wrong)
	f.warnCorrupt(ref.String(), ref.Digest, wrong, left)
	return m, err
}

// holdsPack tells whether the cache may hold the manifest's pack. The cache stores no
// indexes, signatures and the like.
func (f *Fetcher) holdsPack(m registry.Manifest, layer string) bool {
	parsed, err := parseManifest(m.Body, m.MediaType)
	if err != nil || parsed.index || parsed.subject {
		return false
	}
	_, err = selectPack(parsed.layers, f.accept, layer)
	return err == nil
}

// cachedManifest returns the cache's manifest; nil means that the registry has to be
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
		missing := f.offlineError(ref.String())
		missing.NoManifest = f.cache.HasPack(ref.Digest)
		return nil, missing
	case !isCorrupt && !isMissing:
		f.events(CacheUnusable{Reference: ref.String(), Err: err})
	}
	return nil, nil
}

// lock waits until no other process fetches the pack. It sends Waiting once.
func (f *Fetcher) lock(ctx context.Context, manifest ociref.Digest, reference string) (*packcache.Lock, error) {
	return f.cache.Lock(ctx, manifest, func() {
		if _, told := f.warnedWaiting.LoadOrStore(manifest, true); !told {
			f.events(Waiting{Reference: reference})
		}
	})
}

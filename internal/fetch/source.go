package fetch

import (
	"context"
	"errors"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/registry"
)

// manifest returns the manifest that ref names, from the cache if ref has a digest. A
// manifest from the cache has no content type. layer is that of Resolve.
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
	m, err := f.registry.Manifest(ctx, ref)
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
		return nil, &OfflineError{Reference: ref.String(), NoManifest: f.cache.HasPack(ref.Digest)}
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

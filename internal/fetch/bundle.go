package fetch

import (
	"context"
	"errors"
	"io/fs"

	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
)

// Errors of bundles.
type (
	// An UnreadBundleError reports a bundle that cannot be opened or read.
	UnreadBundleError = sources.UnreadBundleError
	// A BundleError reports a bundle that is no OCI image layout, or is not safe to read.
	BundleError = layout.FormatError
)

// OpenBundles opens Options.Bundles, so that an error comes before the work.
func (f *Fetcher) OpenBundles() error { return f.bundles.Open() }

// Close closes Options.Bundles, which nobody may use afterwards, and the connections that no
// request uses.
func (f *Fetcher) Close() {
	f.bundles.Close()
	f.sources.CloseIdleConnections()
}

// HasBundled reports whether a bundle has the manifest with a digest. It does not read it.
func (f *Fetcher) HasBundled(manifest ociref.Digest) bool { return f.bundles.Has(manifest) }

// BundledPacks returns the digests in index.json of the bundles, each once.
func (f *Fetcher) BundledPacks() []ociref.Digest { return f.bundles.Listed() }

// BundledFiles returns the file beside index.json with a name, of each bundle that has it. The
// bytes prove nothing.
func (f *Fetcher) BundledFiles(name string, limit int64) [][]byte {
	return f.bundles.Files(name, limit)
}

// BundledManifest returns a manifest or an index from a bundle. The error is an fs.ErrNotExist
// if no bundle has it.
func (f *Fetcher) BundledManifest(digest ociref.Digest) ([]byte, error) {
	return f.bundles.Manifest(digest)
}

// CheckBundled reads a pack's bytes from a bundle, and proves them. The error is an
// fs.ErrNotExist if no bundle has them.
func (f *Fetcher) CheckBundled(ctx context.Context, p *Resolved) error {
	return f.bundles.Check(ctx, p.content())
}

// CameFromBundle reports whether the pack's bytes, which were copied, came from a bundle.
func (f *Fetcher) CameFromBundle(p *Resolved) bool {
	from, ok := f.downloaded.Load(p.ref)
	return ok && from.(Source).Role == sources.Stored
}

// offlineError reports what neither the cache nor a bundle has.
func (f *Fetcher) offlineError(reference string) *OfflineError {
	return &OfflineError{Reference: reference, Bundles: !f.bundles.None()}
}

// isBundled reports whether a bundle has the pack's bytes, right or wrong.
func (f *Fetcher) isBundled(p *Resolved) bool { return f.bundles.Has(p.content().Digest) }

// bundled returns the manifest that ref names by digest from a bundle. ok is false if no bundle
// has it. A manifest of a bundle has no content type, and goes into no cache.
func (f *Fetcher) bundled(ref ociref.Reference) (m registry.Manifest, ok bool, err error) {
	body, err := f.bundles.Manifest(ref.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return registry.Manifest{}, false, nil
	}
	return registry.Manifest{Body: body, Digest: ref.Digest}, true, err
}

// ErrNotShared is the error of Import for a pack that no entry of the cache holds: the rules
// select another layer of the manifest.
var ErrNotShared = errors.New("unshared")

// Import stores a pack of a bundle in the cache, if it is not there. imported reports that it
// was not. Unlike the other methods it fails if the cache cannot be written.
//
// Errors: ErrNotShared, *StorageError, *verified.MismatchError, *UnreadBundleError.
func (f *Fetcher) Import(ctx context.Context, p *Resolved) (imported bool, err error) {
	if !p.shared || p.body == nil {
		return false, ErrNotShared
	}
	unlock, err := f.fetching.Lock(ctx, p.ManifestDigest)
	if err != nil {
		return false, err
	}
	defer unlock()
	lock, err := f.lock(ctx, p.ManifestDigest, p.Reference.Text())
	if err != nil {
		return false, err
	}
	defer lock.Unlock()
	found, err := f.lookUp(ctx, p, nowhere{}, lock, true)
	switch {
	case errors.As(err, new(*packcache.CorruptError)): // is replaced
	case err != nil:
		return false, err
	case found.state == cacheHit:
		return false, nil
	case found.state == cacheOther:
		return false, ErrNotShared
	}
	draft, err := f.cache.Draft(p.ManifestDigest, lock)
	if err != nil {
		return false, &StorageError{Err: err}
	}
	defer draft.Discard()
	if err := f.download(ctx, p, f.count(p, draft), nil); err != nil {
		return false, err
	}
	if err := draft.Publish(p.body, p.metadata()); err != nil {
		return false, &StorageError{Err: err}
	}
	return true, nil
}

// nowhere is a Sink that keeps nothing.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) Reset() error                { return nil }

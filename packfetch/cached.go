package packfetch

import (
	"context"
	"errors"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/verified"
)

// What the cache's entry turned out to be.
type cacheState int

const (
	cacheMiss     cacheState = iota // it has no pack, or a wrong one, which may be replaced
	cacheHit                        // the pack, now in the sink
	cacheOther                      // another layer of the same manifest, which is left alone
	cacheUnusable                   // it cannot be read
)

// lookUp copies the pack from its cache entry to dst, if it is there. A
// right pack whose proof is missing gets it. Offline, a wrong one is an error.
func (f *Fetcher) lookUp(ctx context.Context, p *Pack, dst Sink, lock *packcache.Lock) (cacheState, error) {
	err := f.cache.Pack(ctx, p.ManifestDigest, p.content(), dst)
	var writeErr *verified.WriteError
	var corrupt *packcache.CorruptError
	switch {
	case err == nil:
		f.heal(p, lock)
		return cacheHit, nil
	case ctx.Err() != nil:
		return cacheMiss, context.Cause(ctx)
	case packcache.IsMissing(err):
		return cacheMiss, nil
	case errors.As(err, &writeErr):
		return cacheMiss, &StorageError{Err: writeErr.Err}
	}
	if err := dst.Reset(); err != nil {
		return cacheMiss, &StorageError{Err: err}
	}
	if !errors.As(err, &corrupt) {
		if f.offline {
			return cacheUnusable, &StorageError{Err: err}
		}
		f.events(CacheUnusable{Reference: p.Reference, Err: err})
		return cacheUnusable, nil
	}
	if other, err := f.holdsOther(ctx, p); err != nil || other {
		return cacheOther, err
	}
	if f.offline {
		return cacheMiss, corrupt
	}
	f.corrupt(p.Reference, p.ManifestDigest, corrupt)
	return cacheMiss, nil
}

// IsCached tells whether the cache's entry of a manifest holds that layer: its
// bytes are hashed, if they are as many. The error is the cause of ctx's end.
func (f *Fetcher) IsCached(ctx context.Context, manifest ociref.Digest, layer Layer) (bool, error) {
	return f.holds(ctx, manifest, []Layer{layer})
}

// holdsOther tells whether the entry's pack is another layer of the manifest,
// as a client with other rules selects it: that is not corruption. The error is the
// cause of ctx's end.
func (f *Fetcher) holdsOther(ctx context.Context, p *Pack) (bool, error) {
	others := slices.DeleteFunc(slices.Clone(p.Layers), func(l Layer) bool { return l.Digest == p.Layer.Digest })
	return f.holds(ctx, p.ManifestDigest, others)
}

// holds tells whether an entry's pack is one of layers.
func (f *Fetcher) holds(ctx context.Context, manifest ociref.Digest, layers []Layer) (bool, error) {
	content, err := f.cache.Measure(ctx, manifest, func(size int64) bool {
		return slices.ContainsFunc(layers, func(l Layer) bool { return l.Size == size })
	})
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return err == nil && slices.ContainsFunc(layers, func(l Layer) bool {
		return l.Digest == string(content.Digest) && l.Size == content.Size
	}), nil
}

// heal completes an entry whose pack is right: with the manifest that proves
// it, and with metadata that other programs can read. It is a courtesy to the
// next reader: that it fails is no one's concern.
func (f *Fetcher) heal(p *Pack, lock *packcache.Lock) {
	if p.body == nil {
		return
	}
	var body []byte
	if _, err := f.cache.Manifest(p.ManifestDigest); err != nil {
		body = p.body
	}
	var metadata *packcache.Metadata
	if m, err := f.cache.Metadata(p.ManifestDigest); err != nil || !p.describedBy(m) {
		want := p.metadata()
		metadata = &want
	}
	if body == nil && metadata == nil {
		return
	}
	if lock == nil {
		var busy bool
		if lock, busy = f.cache.TryLock(p.ManifestDigest); busy {
			return // whoever holds it does the same, or more
		}
		defer lock.Unlock()
	}
	f.cache.Heal(p.ManifestDigest, lock, body, metadata)
}

// describedBy tells whether m is true of p, whoever wrote it.
func (p *Pack) describedBy(m packcache.Metadata) bool {
	return m.ResolvedDigest == string(p.ManifestDigest) &&
		m.MediaType == p.Layer.MediaType &&
		m.SizeBytes == uint64(p.Layer.Size)
}

// corrupt tells of a corrupt entry, once however many of its files are.
func (f *Fetcher) corrupt(reference string, manifest ociref.Digest, err *CorruptCacheError) {
	if _, told := f.told.LoadOrStore(manifest, true); !told {
		f.events(CorruptEntry{Reference: reference, Err: err})
	}
}

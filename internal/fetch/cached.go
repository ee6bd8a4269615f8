package fetch

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/verified"
)

// A cacheState says what the cache's entry holds.
type cacheState int

const (
	cacheMiss     cacheState = iota // no pack
	cacheWrong                      // a wrong pack, which may be replaced
	cacheHit                        // the pack, now in the sink
	cacheOther                      // another layer of the same manifest, which stays
	cacheUnusable                   // it cannot be read
)

// A finding is the result of a look into the cache.
type finding struct {
	state cacheState
	wrong *packcache.CorruptError // nil unless state is cacheWrong
}

// toFill tells whether a download should fill the entry.
func (f finding) toFill() bool { return f.state == cacheMiss || f.state == cacheWrong }

// lookUp copies the pack from its cache entry to dst, if it is there, and completes the
// entry of a right pack. Offline, a wrong pack is an error. With patient set it retries
// an entry that another program may be writing.
func (f *Fetcher) lookUp(ctx context.Context, p *Resolved, dst Sink, lock *packcache.Lock, patient bool) (finding, error) {
	err := f.read(ctx, p, dst, patient)
	var storageErr *StorageError
	var corrupt *packcache.CorruptError
	switch {
	case err == nil:
		f.heal(p, lock)
		return finding{state: cacheHit}, nil
	case packcache.IsMissing(err):
		return finding{state: cacheMiss}, nil
	case ctx.Err() != nil:
		return finding{}, context.Cause(ctx)
	case errors.As(err, &storageErr):
		return finding{}, err
	case errors.Is(err, errOther):
		return finding{state: cacheOther}, nil
	case errors.As(err, &corrupt) && f.offline:
		return finding{}, corrupt
	case corrupt != nil:
		return finding{state: cacheWrong, wrong: corrupt}, nil
	case f.offline:
		return finding{}, &StorageError{Err: err}
	}
	f.events(CacheUnusable{Reference: p.Reference.Text(), Err: err})
	return finding{state: cacheUnusable}, nil
}

// errOther reports an entry that holds another layer of its manifest.
var errOther = errors.New("the cache holds another layer")

// read copies the entry's pack to dst. If that fails, it resets dst.
func (f *Fetcher) read(ctx context.Context, p *Resolved, dst Sink, patient bool) error {
	look := func() error {
		leave, err := f.bodies.enter(ctx, p.Layer.Size)
		if err != nil {
			return err
		}
		defer leave()
		err = f.cache.Pack(ctx, p.ManifestDigest, p.content(), dst)
		var writeErr *verified.WriteError
		switch {
		case err == nil, packcache.IsMissing(err):
			return err
		case errors.As(err, &writeErr):
			return &StorageError{Err: writeErr.Err}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := dst.Reset(); err != nil {
			return &StorageError{Err: err}
		}
		other, otherErr := f.holdsOther(ctx, p, err)
		switch {
		case otherErr != nil:
			return otherErr
		case other:
			return errOther
		}
		return err
	}
	if !patient {
		return look()
	}
	return f.cache.RetryUnfinished(ctx, look)
}

// IsAtHand tells whether the pack of a manifest seems to be in the cache or in a bundle, so that
// no registry has to be asked. It opens no file.
func (f *Fetcher) IsAtHand(manifest ociref.Digest) bool {
	if f.HasBundled(manifest) {
		return true
	}
	_, err := os.Lstat(f.cache.PackPath(manifest))
	return err == nil
}

// IsCached tells whether the cache's entry of a manifest holds that layer. It hashes the
// entry's pack if the size is right. The error is the cause of ctx's end.
func (f *Fetcher) IsCached(ctx context.Context, manifest ociref.Digest, layer Layer) (bool, error) {
	return f.holds(ctx, manifest, []Layer{layer})
}

// holdsOther tells whether the entry's pack is another layer of p's manifest: a client
// with other rules selects it, and nothing is corrupt. wrong is the error of reading p's
// layer. The error is the cause of ctx's end.
func (f *Fetcher) holdsOther(ctx context.Context, p *Resolved, wrong error) (bool, error) {
	if !errors.As(wrong, new(*verified.MismatchError)) {
		return false, nil
	}
	others := slices.DeleteFunc(slices.Clone(p.Layers), func(l Layer) bool { return l.Digest == p.Layer.Digest })
	return f.holds(ctx, p.ManifestDigest, others)
}

// holds tells whether an entry's pack is one of layers. The error is the cause of
// ctx's end.
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

// heal completes the entry of a right pack: with the manifest that proves it, and with
// metadata that other programs can read. It helps the next reader only, so it reports no
// failure.
func (f *Fetcher) heal(p *Resolved, lock *packcache.Lock) {
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
			return // the holder does the same, or more
		}
		defer lock.Unlock()
	}
	f.cache.Heal(p.ManifestDigest, lock, body, metadata)
}

// describedBy tells whether m agrees with p's manifest. Other programs pass m on,
// signatures in the annotations included.
func (p *Resolved) describedBy(m packcache.Metadata) bool {
	want := p.metadata()
	return m.ResolvedDigest == want.ResolvedDigest &&
		m.MediaType == want.MediaType &&
		m.SizeBytes == want.SizeBytes &&
		m.ManifestDigest != nil && *m.ManifestDigest == *want.ManifestDigest &&
		maps.Equal(m.ManifestAnnotations, want.ManifestAnnotations)
}

// warnCorrupt sends CorruptEntry if wrong is not nil, once for each entry.
func (f *Fetcher) warnCorrupt(reference string, manifest ociref.Digest, wrong *packcache.CorruptError, mended bool) {
	if wrong == nil {
		return
	}
	if _, told := f.warnedCorrupt.LoadOrStore(manifest, true); !told {
		f.events(CorruptEntry{Reference: reference, Err: wrong, Mended: mended})
	}
}

package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
	"github.com/greenticai/packvendor/internal/verified"
)

// errNotCached is ResolveCached's error without a cached manifest.
var errNotCached = fmt.Errorf("its manifest is not cached: %w", fs.ErrNotExist)

// A Sink receives a pack's bytes. Reset discards all of them, before a second source
// follows. Its errors are storage errors.
type Sink interface {
	io.Writer
	Reset() error
}

// Copy writes the pack's bytes to dst, from the cache or else from the registry, which
// then fills the cache in the same pass. The bytes in dst prove nothing unless the error
// is nil. fetched tells whether they came from the registry: bytes of a bundle did not.
//
// With Options.Verifier nothing is written and nothing fetched before it has accepted a
// signature.
//
// Errors: *OfflineError, *sources.Error, *verified.MismatchError, *packcache.CorruptError,
// *registry.Error, *registry.ProtocolError, *StorageError, *UnsignedError,
// *UnsearchedError, and those of reading the files of Options.Mirrors.
func (f *Fetcher) Copy(ctx context.Context, p *Resolved, dst Sink) (fetched bool, err error) {
	from, err := f.copy(ctx, p, target{Sink: dst, uncached: func() (Sink, error) { return dst, nil }})
	return from != fromCache && !f.CameFromBundle(p), err
}

// A target has two sinks for a pack's bytes: the first if the cache has them, or gets
// them in the same pass; else the one that uncached makes.
type target struct {
	Sink
	uncached func() (Sink, error)
	// fill has the cache get the bytes of a bundle, too. It does not need them otherwise: a
	// bundle stays where it is.
	fill bool
}

// An origin says where a pack's bytes came from, and whether the cache has them now.
type origin int

const (
	fromCache       origin = iota
	fromNetwork            // and the cache has them now
	fromNetworkOnly        // the cache does not have them
)

func (f *Fetcher) copy(ctx context.Context, p *Resolved, to target) (origin, error) {
	if err := f.verify(ctx, p); err != nil {
		return fromCache, err
	}
	to = f.counted(p, to)
	if !p.shared {
		return f.copyUncached(ctx, p, to)
	}
	found, err := f.lookUp(ctx, p, to.Sink, nil, true)
	if f.isBundled(p) && !to.fill && (found.toFill() || errors.As(err, new(*packcache.CorruptError))) {
		return f.copyUncached(ctx, p, to)
	}
	if err != nil || !found.toFill() {
		return f.copyUnlessHit(ctx, p, to, found, err)
	}
	if f.offline && !f.isBundled(p) || p.body == nil {
		return fromCache, f.offlineError(p.Reference.Text())
	}
	unlock, err := f.fetching.Lock(ctx, p.ManifestDigest)
	if err != nil {
		return fromCache, err
	}
	defer unlock()
	lock, err := f.lock(ctx, p.ManifestDigest, p.Reference.Text())
	if err != nil {
		return fromCache, err
	}
	defer lock.Unlock()
	// Somebody else may have filled the entry since the first look.
	found, err = f.lookUp(ctx, p, to.Sink, lock, found.wrong == nil)
	if err != nil || !found.toFill() {
		return f.copyUnlessHit(ctx, p, to, found, err)
	}
	from, err := f.fill(ctx, p, to, lock)
	f.warnCorrupt(p.Reference.Text(), p.ManifestDigest, found.wrong, err == nil && from == fromNetwork)
	return from, err
}

// copyUnlessHit follows a look into the cache after which the entry is not filled.
func (f *Fetcher) copyUnlessHit(ctx context.Context, p *Resolved, to target, found finding, err error) (origin, error) {
	if err != nil || found.state == cacheHit {
		return fromCache, err
	}
	return f.copyUncached(ctx, p, to)
}

// copyUncached downloads without the cache, for example because its entry holds another
// layer of the manifest.
func (f *Fetcher) copyUncached(ctx context.Context, p *Resolved, to target) (origin, error) {
	if f.offline && !f.isBundled(p) {
		return fromCache, f.offlineError(p.Reference.Text())
	}
	dst, err := to.uncached()
	if err != nil {
		return fromNetworkOnly, err
	}
	return fromNetworkOnly, f.download(ctx, p, dst, nil)
}

// download copies the pack's bytes to w, and remembers where they came from. kept holds the
// bytes of an earlier, interrupted download; it is nil if there are none.
func (f *Fetcher) download(ctx context.Context, p *Resolved, w Sink, kept io.Reader) error {
	from, err := f.transfer(ctx, p, w, kept)
	if err == nil {
		f.downloaded.Store(p.ref, from)
	}
	return err
}

// transfer is download, and returns where the bytes came from.
func (f *Fetcher) transfer(ctx context.Context, p *Resolved, w Sink, kept io.Reader) (Source, error) {
	leave, err := f.bodies.enter(ctx, p.Layer.Size)
	if err != nil {
		return Source{}, err
	}
	defer leave()
	from, err := f.sources.Blob(ctx, p.ref, p.content(), w, kept)
	var writeErr *verified.WriteError
	if errors.As(err, &writeErr) {
		return from, &StorageError{Err: writeErr.Err}
	}
	if err != nil {
		return from, fmt.Errorf("cannot fetch %s: %w", p.Reference.Text(), err)
	}
	return from, nil
}

// DownloadedFrom returns where the bytes of a pack came from when this Fetcher downloaded
// them: HOST/REPOSITORY, or the path of a bundle; "" if it was the repository that the
// reference names, or if it has not.
func (f *Fetcher) DownloadedFrom(p *Resolved) string {
	from, ok := f.downloaded.Load(p.ref)
	if !ok || from.(Source).Role == sources.Origin {
		return ""
	}
	return from.(Source).Place
}

// fill downloads to both the target and a new cache entry in one pass. It goes on
// without the entry if that cannot be written.
func (f *Fetcher) fill(ctx context.Context, p *Resolved, to target, lock *packcache.Lock) (origin, error) {
	draft, err := f.cache.Draft(p.ManifestDigest, lock)
	if err != nil {
		f.events(CacheUnusable{Reference: p.Reference.Text(), Err: err})
		return f.copyUncached(ctx, p, to)
	}
	defer draft.Discard()
	draft.ShareWith(to.Sink, p.Layer.Size)
	both := &tee{dst: to, side: draft}
	if err := f.fillDraft(ctx, p, both, draft); err != nil {
		return fromNetworkOnly, err
	}
	if both.err == nil {
		both.err = draft.Publish(p.body, p.metadata())
	}
	if both.err != nil {
		f.events(CacheUnusable{Reference: p.Reference.Text(), Err: both.err})
		return fromNetworkOnly, nil
	}
	return fromNetwork, nil
}

// fillDraft downloads, starting from the bytes that an interrupted download left. If it
// is interrupted itself, it keeps its bytes.
func (f *Fetcher) fillDraft(ctx context.Context, p *Resolved, both *tee, draft *packcache.Draft) error {
	layer := p.content().Digest
	var kept io.Reader
	if file, size, err := f.cache.Partial(layer); err == nil {
		defer file.Close()
		kept = file
		f.events(Resumed{Reference: p.Reference.Text(), Kept: size, Size: p.Layer.Size})
	}
	err := f.download(ctx, p, both, kept)
	if both.err == nil && errors.As(err, new(*registry.Error)) {
		draft.KeepPartial(layer) // the interruption is the error to report
		return err
	}
	if kept != nil {
		f.cache.RemovePartial(layer)
	}
	return err
}

// A tee writes to dst and, until that fails, to side.
type tee struct {
	dst, side Sink
	err       error // the first of side
}

// Reset resets both.
func (t *tee) Reset() error {
	if t.err == nil {
		t.err = t.side.Reset()
	}
	return t.dst.Reset()
}

func (t *tee) Write(b []byte) (int, error) {
	if t.err == nil {
		_, t.err = t.side.Write(b)
	}
	return t.dst.Write(b)
}

func (p *Resolved) metadata() packcache.Metadata {
	digest := string(p.ManifestDigest)
	return packcache.Metadata{
		OriginalReference:   p.Reference.Text(),
		ResolvedDigest:      digest,
		MediaType:           p.Layer.MediaType,
		SizeBytes:           uint64(p.Layer.Size),
		ManifestDigest:      &digest,
		ManifestAnnotations: p.Annotations,
	}
}

// A counted is a Sink that reports its bytes to Options.Copied.
type counted struct {
	Sink
	report func(n int64)
	n      int64
}

// counted wraps both of to's sinks if Options.Copied is set.
func (f *Fetcher) counted(p *Resolved, to target) target {
	return target{Sink: f.count(p, to.Sink), fill: to.fill, uncached: func() (Sink, error) {
		dst, err := to.uncached()
		if err != nil {
			return nil, err
		}
		return f.count(p, dst), nil
	}}
}

// count wraps a sink if Options.Copied is set.
func (f *Fetcher) count(p *Resolved, dst Sink) Sink {
	if f.copied == nil {
		return dst
	}
	c := &counted{Sink: dst, report: func(n int64) { f.copied(n, p.Layer.Size) }}
	if cloner, ok := dst.(packcache.Cloner); ok {
		return &countedCloner{c, cloner}
	}
	return c
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Sink.Write(b)
	c.add(n)
	return n, err
}

func (c *counted) add(n int) {
	c.n += int64(n)
	c.report(int64(n))
}

// Reset reports that all bytes are taken back.
func (c *counted) Reset() error {
	if c.n > 0 {
		c.report(-c.n)
	}
	c.n = 0
	return c.Sink.Reset()
}

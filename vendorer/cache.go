package vendorer

import (
	"context"
	"path/filepath"
	"time"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
)

type (
	// A CacheEntry describes the files of one manifest in the shared cache.
	CacheEntry = packcache.Entry
	// A CacheCheck is the result of VerifyCache for one entry.
	CacheCheck = packcache.Checked
	// A CacheSkipped is an entry that PruneCache could not remove, and why.
	CacheSkipped = packcache.Skipped
	// A CachePruning reports what PruneCache removed, or would remove.
	CachePruning = packcache.PruneReport
)

// CacheDir returns the root of the shared cache.
func CacheDir(o Options) string {
	if o.CacheDir != "" {
		return o.CacheDir
	}
	return packfetch.DefaultCacheDir(o.getenv, filepath.Dir(Nearest()))
}

func (o Options) cache() *packcache.Cache {
	return packcache.New(packcache.Options{Root: CacheDir(o), LockWait: o.LockWait, Sleep: o.Fetch.Sleep})
}

// ListCache returns the cache's entries by digest, and the names of foreign files in
// its root.
func ListCache(o Options) (entries []CacheEntry, foreign []string, err error) {
	return o.cache().List()
}

// VerifyCache hashes every entry of the cache, without network. With repair set, it
// removes corrupt files, under the entry's lock. The checks leave out unreadable
// entries; the error names them.
func VerifyCache(ctx context.Context, o Options, repair bool) ([]CacheCheck, error) {
	cache := o.cache()
	entries, _, listErr := cache.List()
	meter := &progressCounter{tell: o.Progress}
	meter.begin(PhaseVerifying, len(entries), 0)
	checks, err := cache.CheckAll(ctx, entries, min(o.jobs(), maxChecked), fetch.ManifestLayers, repair, meter.done)
	if err != nil {
		return nil, err
	}
	return checks, listErr
}

// PruneOptions select the entries that PruneCache removes.
type PruneOptions struct {
	OlderThan *time.Duration // nil: no bound
	MaxSize   *int64         // bytes; nil: no bound
	Keep      []string       // packs.lock files whose packs stay
	DryRun    bool
}

// PruneCache removes entries that were not used lately, each whole and under its lock.
func PruneCache(ctx context.Context, o Options, po PruneOptions) (CachePruning, error) {
	keep := map[ociref.Digest]bool{}
	for _, file := range po.Keep {
		if err := keepLocked(keep, file); err != nil {
			return CachePruning{}, err
		}
	}
	return o.cache().Prune(ctx, packcache.PruneOptions{OlderThan: po.OlderThan, MaxSize: po.MaxSize, Keep: keep, DryRun: po.DryRun})
}

// keepLocked adds the manifest digests of a packs.lock to keep.
func keepLocked(keep map[ociref.Digest]bool, file string) error {
	data, err := regularfile.Read(nil, file, lockfile.MaxSize)
	if err != nil {
		return &KeepError{File: file, Err: err}
	}
	lock, err := parseLock(file, data, "packs.lock")
	if input, ok := err.(*InputError); ok {
		return &KeepError{File: file, Err: input}
	}
	if err != nil {
		return err
	}
	for _, entry := range pulled(lock) {
		keep[entry.ManifestDigest] = true
	}
	return nil
}

// A KeepError reports a packs.lock in PruneOptions.Keep that cannot be read.
type KeepError struct {
	File string
	Err  error
}

func (e *KeepError) Error() string { return "cannot keep what is locked: " + e.Err.Error() }
func (e *KeepError) Unwrap() error { return e.Err }

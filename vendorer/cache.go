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
	// A CacheEntry is what the shared cache holds of one manifest.
	CacheEntry = packcache.Entry
	// A CacheCheck is what VerifyCache found of one entry.
	CacheCheck = packcache.Checked
	// A CacheSkipped is an entry that PruneCache could not remove, and why.
	CacheSkipped = packcache.Skipped
	// A CachePruning tells what PruneCache did, or would do.
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

// ListCache returns the cache's entries by digest, and the names of what else stands
// in its root.
func ListCache(o Options) (entries []CacheEntry, foreign []string, err error) {
	return o.cache().List()
}

// VerifyCache hashes every entry of the cache, without network. With repair set,
// what is corrupt is removed, under its lock. Entries that cannot be looked into are
// left out, and an error.
func VerifyCache(ctx context.Context, o Options, repair bool) ([]CacheCheck, error) {
	cache := o.cache()
	entries, _, listErr := cache.List()
	meter := &progressCounter{tell: o.Progress}
	meter.begin(PhaseVerifying, len(entries), 0)
	checks, err := cache.CheckAll(ctx, entries, o.jobs(), fetch.ManifestLayers, repair, meter.done)
	if err != nil {
		return nil, err
	}
	return checks, listErr
}

// PruneOptions say what PruneCache removes.
type PruneOptions struct {
	OlderThan *time.Duration // nil: no bound
	MaxSize   *int64         // bytes; nil: no bound
	Keep      []string       // files packs.lock, whose packs stay
	DryRun    bool
}

// PruneCache removes entries that were not of use lately, whole and under their
// locks.
func PruneCache(ctx context.Context, o Options, po PruneOptions) (CachePruning, error) {
	keep := map[ociref.Digest]bool{}
	for _, file := range po.Keep {
		if err := keepLocked(keep, file); err != nil {
			return CachePruning{}, err
		}
	}
	return o.cache().Prune(ctx, packcache.PruneOptions{OlderThan: po.OlderThan, MaxSize: po.MaxSize, Keep: keep, DryRun: po.DryRun})
}

// keepLocked adds what a packs.lock names.
func keepLocked(keep map[ociref.Digest]bool, file string) error {
	data, err := regularfile.Read(nil, file, lockfile.MaxSize)
	if err != nil {
		return &KeepError{File: file, Err: err}
	}
	lock, err := lockfile.Parse(file, data)
	if err != nil {
		return err
	}
	for _, entry := range lock.Entries {
		keep[entry.ManifestDigest] = true
	}
	return nil
}

// A KeepError reports a lock file that cannot be read: what it keeps is not known.
type KeepError struct {
	File string
	Err  error
}

func (e *KeepError) Error() string { return "cannot keep what is locked: " + e.Err.Error() }
func (e *KeepError) Unwrap() error { return e.Err }

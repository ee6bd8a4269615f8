package packcache

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
)

// PruneOptions say what Prune removes. The zero value removes nothing.
type PruneOptions struct {
	// OlderThan, if not nil, removes entries unused for that long.
	OlderThan *time.Duration
	// MaxSize, if not nil, removes the least recently used entries until that many
	// bytes are left, kept entries included.
	MaxSize *int64
	// Keep lists the manifests whose entries stay.
	Keep map[ociref.Digest]bool
	// DryRun removes nothing. It takes no locks, and so does not know which entries
	// are busy.
	DryRun bool
}

// A PruneReport lists what Prune did, or would do, in that order: least recently used
// first.
type PruneReport struct {
	Removed []Entry
	Skipped []Skipped
	// Partials is the number of removed partial layers, which go before any entry.
	Partials int
	Freed    int64 // bytes of the removed entries and partials
	Left     int64 // bytes of the others
}

// A Skipped is an entry that Prune could not remove. Err is ErrBusy, ErrForeign or the
// reason.
type Skipped struct {
	Entry Entry
	Err   error
}

// Prune removes unused entries, and the partial layers of interrupted downloads. It
// alone relies on the clock: a last use in the future counts as now.
//
// Prune skips busy and foreign entries, and removes the next ones instead. It goes on
// after an entry that it cannot remove; the error is about the first of these, or of
// those that List leaves out, or ctx's.
func (c *Cache) Prune(ctx context.Context, o PruneOptions) (PruneReport, error) {
	var r PruneReport
	entries, _, err := c.List()
	slices.SortStableFunc(entries, func(a, b Entry) int { return a.Used.Compare(b.Used) })
	for _, entry := range entries {
		r.Left += entry.Size
	}
	now := c.now()
	c.prunePartials(o, now, &r)
	for _, entry := range entries {
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		if !o.selects(entry, now, r.Left) {
			continue
		}
		dropErr := c.drop(entry, o.DryRun)
		r.add(entry, dropErr)
		if err == nil && isTrouble(dropErr) {
			err = dropErr
		}
	}
	return r, err
}

// prunePartials removes partial layers, which are worth less than any entry.
func (c *Cache) prunePartials(o PruneOptions, now time.Time, r *PruneReport) {
	kept := c.partials()
	for _, p := range kept {
		r.Left += p.size
	}
	for _, p := range kept {
		if !o.selects(Entry{Used: p.kept}, now, r.Left) {
			continue
		}
		if !o.DryRun {
			c.RemovePartial(p.layer)
		}
		r.Partials++
		r.Freed += p.size
		r.Left -= p.size
	}
}

// selects tells whether Prune should remove an entry from a cache of left bytes.
func (o PruneOptions) selects(e Entry, now time.Time, left int64) bool {
	if o.Keep[e.Manifest] {
		return false
	}
	old := o.OlderThan != nil && now.Sub(e.Used) >= *o.OlderThan
	return old || o.MaxSize != nil && left > *o.MaxSize
}

// drop removes an entry, unless it has been used since it was listed.
func (c *Cache) drop(listed Entry, dryRun bool) error {
	if len(listed.Foreign) > 0 {
		return c.located("remove", listed.Manifest, ".", ErrForeign)
	}
	if dryRun {
		return nil
	}
	lock, entry, err := c.hold(listed.Manifest)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if entry.Used.After(listed.Used) {
		return c.located("remove", listed.Manifest, ".", ErrBusy)
	}
	return c.unlink(listed.Manifest, lock)
}

// add adds the result for an entry.
func (r *PruneReport) add(e Entry, err error) {
	switch {
	case err == nil:
		r.Removed = append(r.Removed, e)
		r.Freed += e.Size
	case !IsMissing(err): // if not removed by another process
		r.Skipped = append(r.Skipped, Skipped{Entry: e, Err: err})
		return
	}
	r.Left -= e.Size
}

// isTrouble tells whether err is the file system's, and no expected state of an entry.
func isTrouble(err error) bool {
	for _, so := range []error{nil, ErrBusy, ErrForeign, fs.ErrNotExist} {
		if errors.Is(err, so) {
			return false
		}
	}
	return true
}

// Reasons not to remove an entry.
var (
	ErrBusy    = errors.New("in use by another process")
	ErrForeign = errors.New("holds files that are not the cache's")
)

// Remove removes an entry under its lock, for which it does not wait. If locking does
// not work it goes on without the lock, and leaves temporaries alone. A process that
// reads the entry keeps its bytes; one that writes it without the lock may find the
// directory gone.
//
// Errors: ErrBusy and ErrForeign, of an entry that stays as it is; fs.ErrNotExist;
// *CorruptError if it is no directory; others for files that cannot be removed.
func (c *Cache) Remove(manifest ociref.Digest) error {
	lock, _, err := c.hold(manifest)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return c.unlink(manifest, lock)
}

// hold locks an entry that may be removed, and returns the entry as it is then.
func (c *Cache) hold(manifest ociref.Digest) (*Lock, Entry, error) {
	if entry, err := c.look(manifest); err != nil {
		return nil, entry, err // before a lock's file is made
	}
	lock, busy := c.TryLock(manifest)
	if busy {
		return nil, Entry{}, c.located("remove", manifest, ".", ErrBusy)
	}
	entry, err := c.look(manifest)
	if err == nil && len(entry.Foreign) > 0 {
		err = c.located("remove", manifest, ".", ErrForeign)
	}
	if err != nil {
		lock.Unlock()
		return nil, entry, err
	}
	return lock, entry, nil
}

// unlink removes an entry's files, the pack first: even if it fails later, other
// programs see a miss.
//
// The lock's own file stays. Another process may have opened it and be about to lock it.
// Without the name it would lock a file that no third process finds, and both would
// sweep each other's temporaries.
func (c *Cache) unlink(manifest ociref.Digest, lock *Lock) error {
	if err := c.unlinkFiles(manifest, lock); err != nil {
		return err
	}
	err := removeDir(filepath.Join(c.root, manifest.Hex()))
	if err == nil || IsMissing(err) || errors.Is(err, fs.ErrExist) {
		return nil // not empty: another process has begun the entry anew
	}
	return c.located("remove", manifest, ".", err)
}

func (c *Cache) unlinkFiles(manifest ociref.Digest, lock *Lock) error {
	entry, err := c.entry(manifest)
	if err != nil {
		return err
	}
	defer entry.Close() // Windows removes no directory that is open
	for _, name := range []string{packFile, metadataFile, manifestFile} {
		if err := entry.Remove(name); err != nil && !IsMissing(err) {
			return c.located("remove", manifest, name, err)
		}
	}
	if lock.Held() {
		atomicfile.Sweep(entry, ".")
	}
	return nil
}

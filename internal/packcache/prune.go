package packcache

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// PruneOptions say what Prune removes. The zero value removes nothing.
type PruneOptions struct {
	// OlderThan, if not nil, removes what was not of use for so long.
	OlderThan *time.Duration
	// MaxSize, if not nil, removes what was not of use for longest until no
	// more than so many bytes are left, those of kept entries included.
	MaxSize *int64
	// Keep are the manifests whose entries stay.
	Keep map[ociref.Digest]bool
	// DryRun removes nothing. It takes no lock either, and so does not tell
	// which entries are busy.
	DryRun bool
}

// A PruneReport tells what Prune did, or would do, in the order it was done:
// least recently used first.
type PruneReport struct {
	Removed []Entry
	Skipped []Skipped
	// Partials is how many beginnings of layers were removed, before any entry.
	Partials int
	Freed    int64 // bytes that the removed entries and partials had
	Left     int64 // bytes that the others have
}

// A Skipped entry should have been removed as well. Err is ErrBusy, ErrForeign
// or why it could not be.
type Skipped struct {
	Entry Entry
	Err   error
}

// Prune removes entries that were not of use lately, and what was kept of
// interrupted downloads that nobody went on with. It alone rests on the
// clock: an entry that was last used in the future counts as used just now.
//
// Busy and foreign entries are left out, and the next ones go in their place.
// An entry that cannot be removed does not stop it; the error is about the
// first one of these, or of those that List leaves out, or ctx's.
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

// prunePartials removes what was kept of interrupted downloads: it is worth less
// than any entry.
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

// selects tells whether an entry should go, while the cache has left bytes.
func (o PruneOptions) selects(e Entry, now time.Time, left int64) bool {
	if o.Keep[e.Manifest] {
		return false
	}
	old := o.OlderThan != nil && now.Sub(e.Used) >= *o.OlderThan
	return old || o.MaxSize != nil && left > *o.MaxSize
}

// drop removes an entry, unless it was used since it was listed.
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

// add counts in what became of an entry.
func (r *PruneReport) add(e Entry, err error) {
	switch {
	case err == nil:
		r.Removed = append(r.Removed, e)
		r.Freed += e.Size
	case !IsMissing(err): // else another process removed it
		r.Skipped = append(r.Skipped, Skipped{Entry: e, Err: err})
		return
	}
	r.Left -= e.Size
}

// isTrouble tells an error of the file system from what just is so.
func isTrouble(err error) bool {
	for _, so := range []error{nil, ErrBusy, ErrForeign, fs.ErrNotExist} {
		if errors.Is(err, so) {
			return false
		}
	}
	return true
}

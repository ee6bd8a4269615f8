package packcache

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// A Checked is an entry with the result of Check.
type Checked struct {
	Entry
	Err     error // of Check, joined with that of a failed removal
	Removed bool  // it was corrupt, and CheckAll removed it
}

// IsUnproven tells whether only the entry's manifest is missing.
func (c Checked) IsUnproven() bool { return errors.Is(c.Err, ErrUnproven) }

// CheckAll checks entries, jobs at a time. With repair set it removes corrupt ones,
// under their locks. It leaves out entries that have gone meanwhile. It calls done after
// each check, concurrently. The error is the cause of ctx's end.
func (c *Cache) CheckAll(ctx context.Context, entries []Entry, jobs int, layers Layers, repair bool, done func()) ([]Checked, error) {
	all := make([]Checked, len(entries))
	var group errgroup.Group
	group.SetLimit(jobs)
	for i, entry := range entries {
		group.Go(func() error {
			if ctx.Err() == nil {
				all[i] = c.checkOne(ctx, entry, layers, repair)
				done()
			}
			return nil
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var found []Checked
	for _, checked := range all {
		if !IsMissing(checked.Err) {
			found = append(found, checked)
		}
	}
	return found, nil
}

func (c *Cache) checkOne(ctx context.Context, entry Entry, layers Layers, repair bool) Checked {
	checked := Checked{Entry: entry, Err: c.Check(ctx, entry.Manifest, layers)}
	if !repair || !errors.As(checked.Err, new(*CorruptError)) {
		return checked
	}
	removed, err := c.Repair(ctx, entry.Manifest, layers)
	switch checked.Removed = removed; {
	case removed:
	case err == nil, IsMissing(err), errors.Is(err, ErrUnproven): // another process repaired it
		checked.Err = err
	default:
		checked.Err = errors.Join(checked.Err, err)
	}
	return checked
}

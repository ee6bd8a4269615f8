package vendorer

import (
	"context"
	"errors"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// comparePlanned compares signed packs as a run that writes does, where their bytes are at
// hand: a dry run downloads no pack.
func (v *vendoring) comparePlanned(ctx context.Context, tasks []*task) error {
	var errs []error
	for _, t := range tasks {
		if t.entry.Signer == "" || t.entry == t.Locked {
			continue
		}
		if err := v.compareAtHand(ctx, t); err != nil {
			errs = append(errs, v.packError(t.Pack, t.Action, &t.Locked, err))
		}
	}
	v.events.flush()
	return errors.Join(errs...)
}

func (v *vendoring) compareAtHand(ctx context.Context, t *task) error {
	was := v.continued(t)
	if !t.differsFrom(was) {
		return nil
	}
	atHand := true
	var err error
	if was.Signer != "" {
		atHand, err = v.isAtHand(ctx, was)
	}
	switch {
	case err != nil:
		return err
	case atHand && !t.mustWrite():
		return v.compareVendored(ctx, t)
	case atHand:
		atHand, err = v.IsCached(ctx, t.entry.ManifestDigest, t.pack.Layer)
	}
	if err != nil {
		return err
	}
	if !atHand {
		if was.Signer != "" {
			v.events.event(NotCompared{Name: t.Pack.Name})
		}
		return nil
	}
	bytes, err := v.Open(ctx, t.pack)
	if err != nil {
		return err
	}
	defer bytes.Close()
	return v.comparePacks(ctx, t, bytes)
}

// isAtHand tells whether the pack of an entry is vendored or in the cache.
func (v *vendoring) isAtHand(ctx context.Context, entry lockfile.Entry) (bool, error) {
	is, err := v.p.Measure(ctx, v.p.PackFile(entry.Name), entry.Size)
	if err == nil && is.Content == project.ContentOf(entry) {
		return true, nil
	}
	return v.IsCached(ctx, entry.ManifestDigest, lockedLayer(entry))
}

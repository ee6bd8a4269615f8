package packcache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// Layers returns the layers that a manifest lists, given its bytes: the cache cannot
// read manifests.
type Layers func(manifest []byte) ([]verified.Content, error)

// ErrUnproven reports a pack without a manifest to verify it: other programs store no
// manifest.json. The pack may be right.
var ErrUnproven = errors.New("no manifest vouches for the pack")

// Check verifies an entry without network: the manifest by the entry's name, the pack by
// the manifest, and metadata.json against both. An entry may lack any of the three.
// Check does not read a pack that nothing could prove, or that has a wrong size. It
// retries a file that another program may be writing. It writes nothing, and does not
// count as a use.
//
// Errors: *CorruptError, ErrUnproven, fs.ErrNotExist if there is no entry, ctx's, others
// for unreadable files.
func (c *Cache) Check(ctx context.Context, manifest ociref.Digest, layers Layers) error {
	return c.RetryUnfinished(ctx, func() error { return c.check(ctx, manifest, layers) })
}

func (c *Cache) check(ctx context.Context, manifest ociref.Digest, layers Layers) error {
	if _, err := c.look(manifest); err != nil {
		return err
	}
	body, err := c.Manifest(manifest)
	if err != nil && !IsMissing(err) {
		return err
	}
	listed, proof := listedBy(body, layers)
	pack, info, err := c.measure(ctx, manifest, func(size int64) bool { return hasSize(listed, size) })
	if IsMissing(err) {
		return c.checkMetadata(manifest, nil)
	}
	if err != nil {
		return err
	}
	if proof == nil && !slices.Contains(listed, pack) {
		proof = &CorruptError{Path: c.PackPath(manifest), Err: unlisted(pack), Short: isShort(listed, pack.Size)}
	} else if err := c.checkMetadata(manifest, &pack); err != nil {
		proof = err
	}
	var corrupt *CorruptError
	if errors.As(proof, &corrupt) && c.changed(manifest, packFile, info) {
		corrupt.Changed = true
	}
	return proof
}

// listedBy returns the layers that a manifest lists. The error is ErrUnproven if there
// is no manifest, or if it cannot be read.
func listedBy(body []byte, layers Layers) ([]verified.Content, error) {
	if body == nil {
		return nil, ErrUnproven
	}
	listed, err := layers(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnproven, err)
	}
	return listed, nil
}

func hasSize(listed []verified.Content, size int64) bool {
	return slices.ContainsFunc(listed, func(c verified.Content) bool { return c.Size == size })
}

// isShort tells whether a pack of that size may be the beginning of a listed one.
func isShort(listed []verified.Content, size int64) bool {
	return slices.ContainsFunc(listed, func(c verified.Content) bool { return size < c.Size })
}

// unlisted describes a pack that the manifest does not list.
func unlisted(pack verified.Content) error {
	if pack.Digest == "" {
		return fmt.Errorf("no layer of the manifest has %d bytes", pack.Size)
	}
	return fmt.Errorf("%s with %d bytes is no layer of the manifest", pack.Digest, pack.Size)
}

// checkMetadata checks that metadata.json, if there is one, can be read by other
// programs and agrees with this entry and its pack. pack is nil if there is none.
func (c *Cache) checkMetadata(manifest ociref.Digest, pack *verified.Content) error {
	m, err := c.Metadata(manifest)
	short := false
	switch {
	case IsMissing(err):
		return nil
	case err != nil:
		return err
	case m.ResolvedDigest != string(manifest):
		err = errors.New("resolved_digest is not that of the entry")
	case m.ManifestDigest != nil && *m.ManifestDigest != string(manifest):
		err = errors.New("manifest_digest is not that of the entry")
	case pack != nil && m.SizeBytes != uint64(pack.Size):
		err = fmt.Errorf("size_bytes is %d, but the pack has %d bytes", m.SizeBytes, pack.Size)
		short = m.SizeBytes > uint64(pack.Size)
	default:
		return nil
	}
	return &CorruptError{Path: c.path(manifest, metadataFile), Err: err, Short: short}
}

// Repair checks an entry once more, under its lock, and removes it if it is
// corrupt; removed tells whether it did. Errors are those of Check and Remove.
func (c *Cache) Repair(ctx context.Context, manifest ociref.Digest, layers Layers) (removed bool, err error) {
	lock, _, err := c.hold(manifest)
	if err != nil {
		return false, err
	}
	defer lock.Unlock()
	err = c.Check(ctx, manifest, layers)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) {
		return false, err
	}
	err = c.unlink(manifest, lock)
	return err == nil, err
}

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

package packcache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

// Layers returns what a manifest lists, given its bytes: the cache does not
// know what manifests look like.
type Layers func(manifest []byte) ([]verified.Content, error)

// ErrUnproven is about a pack that may well be right, but that nothing in the
// cache vouches for: other programs keep no manifest.json.
var ErrUnproven = errors.New("no manifest vouches for the pack")

// Check reads an entry whole and proves it without the network: the manifest
// by the entry's name, the pack by the manifest, and that metadata.json does
// not contradict them. An entry may lack any of the three. It writes nothing,
// and is no use of the entry.
//
// Errors: *CorruptError for what is wrong, ErrUnproven, fs.ErrNotExist if
// there is no entry, ctx's, others for what cannot be read. While another
// program rewrites the entry, Check may find it corrupt.
func (c *Cache) Check(ctx context.Context, manifest ociref.Digest, layers Layers) error {
	if _, err := c.look(manifest); err != nil {
		return err
	}
	body, err := c.Manifest(manifest)
	if err != nil && !IsMissing(err) {
		return err
	}
	pack, err := c.measure(ctx, manifest)
	if IsMissing(err) {
		return c.checkMetadata(manifest, nil)
	}
	if err != nil {
		return err
	}
	proof := c.prove(manifest, body, pack, layers)
	if proof != nil && !errors.Is(proof, ErrUnproven) {
		return proof
	}
	if err := c.checkMetadata(manifest, &pack); err != nil {
		return err
	}
	return proof
}

// prove returns nil if the manifest, nil if there is none, lists the pack.
func (c *Cache) prove(manifest ociref.Digest, body []byte, pack verified.Content, layers Layers) error {
	if body == nil {
		return ErrUnproven
	}
	listed, err := layers(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnproven, err)
	}
	if !slices.Contains(listed, pack) {
		err := fmt.Errorf("%s with %d bytes is no layer of the manifest", pack.Digest, pack.Size)
		return &CorruptError{Path: c.PackPath(manifest), Err: err}
	}
	return nil
}

// checkMetadata returns nil if metadata.json, if there is one, can be read by
// other programs and is about this entry and its pack, nil if it has none.
func (c *Cache) checkMetadata(manifest ociref.Digest, pack *verified.Content) error {
	m, err := c.Metadata(manifest)
	switch {
	case IsMissing(err):
		return nil
	case err != nil:
		return err
	case m.ResolvedDigest != string(manifest):
		err = errors.New("resolved_digest is not that of the entry")
	case pack != nil && m.SizeBytes != uint64(pack.Size):
		err = fmt.Errorf("size_bytes is %d, but the pack has %d bytes", m.SizeBytes, pack.Size)
	default:
		return nil
	}
	return &CorruptError{Path: c.path(manifest, metadataFile), Err: err}
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

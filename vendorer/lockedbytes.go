package vendorer

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// The bytes of a locked pack are in the project, or else in the cache or in a registry. copyLocked
// needs them. findBytes takes what is at hand, and asks no registry.

// copyLocked copies the bytes of a locked pack: of the vendored file or, if there is none, of
// the local file, a bundle, the cache or the registry. A vendored file with other bytes is a
// *VendoredError.
func (s *session) copyLocked(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, to *scratch.File) error {
	is, err := s.p.Look(ctx, entry.Name)
	switch {
	case err != nil:
		return err
	case !is.IsZero() && !is.LFS:
		return s.copyVendored(ctx, entry, to)
	case entry.Path != "":
		return s.copyUnchanged(ctx, pack, entry, to)
	}
	return s.copyFetched(ctx, pack, entry, to)
}

// findBytes returns a private copy of an entry's pack, from copy or else from the
// cache; nil if neither has it. A full disk is an error.
func (s *session) findBytes(ctx context.Context, entry lockfile.Entry, copy func(lockfile.Entry, io.Writer) error) (*scratch.File, error) {
	copied, err := scratch.New()
	if err != nil {
		return nil, err
	}
	err = copy(entry, copied)
	if err == nil {
		return copied, nil
	}
	var noRoom *verified.WriteError
	if !errors.As(err, &noRoom) && ctx.Err() == nil {
		err = copied.Reset()
		if err == nil && s.copyCached(ctx, entry, copied) == nil {
			return copied, nil
		}
	}
	copied.Close()
	return nil, err
}

// copyVendored copies a vendored pack. If it is not the locked one, the error is a *VendoredError.
func (s *session) copyVendored(ctx context.Context, entry lockfile.Entry, to io.Writer) error {
	err := s.p.Copy(ctx, entry, to)
	if !errors.As(err, new(*verified.MismatchError)) {
		return err
	}
	is, err := s.p.Measure(ctx, s.p.PackFile(entry.Name), entry.Size)
	if err != nil {
		return err
	}
	return s.vendoredError(entry, is)
}

// copyUnchanged copies the local file of a pack. If it is not the locked one, the error is a
// *LockedError.
func (s *session) copyUnchanged(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, to io.Writer) error {
	err := s.p.CopyLocalFile(ctx, pack.Path, project.ContentOf(entry), to)
	if errors.As(err, new(*ChangedError)) {
		return &LockedError{File: s.p.Show(s.p.LockFile), Stale: []string{entry.Name}}
	}
	return err
}

// copyFetched copies a pack of a bundle, the cache or a registry, with the manifest that packs.lock
// has.
func (s *session) copyFetched(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, to *scratch.File) error {
	found, err := s.Resolve(ctx, pack.Reference.WithDigest(entry.ManifestDigest), pack.Layer)
	if err != nil {
		return asInconsistent(entry, err)
	}
	if err := compare(entry, found); err != nil {
		return err
	}
	_, err = s.Copy(ctx, found, to)
	return err
}

// copyCached copies an entry's pack from the cache, which need not have its manifest.
func (s *session) copyCached(ctx context.Context, entry lockfile.Entry, to *scratch.File) error {
	if entry.Path != "" {
		return fs.ErrNotExist // the cache has no files
	}
	pack, err := s.FromLock(entry.Reference(), entry.ManifestDigest, lockedLayer(entry), entry.Layer)
	if err == nil {
		_, err = s.Copy(ctx, pack, to)
	}
	return err
}

package vendorer

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// pulled returns the entries of the packs that are from registries: neither the cache nor a
// bundle has local files.
func pulled(lock *lockfile.Lock) []lockfile.Entry {
	return slices.DeleteFunc(slices.Clone(lock.Entries), func(entry lockfile.Entry) bool { return entry.Path != "" })
}

// localFileError returns why the local file of a pack cannot be used; nil if it can, or is not
// needed.
func (s Step) localFileError() error {
	switch {
	case s.Pack.Path == "", s.Local.IsMissing() && s.standsIn():
		return nil
	case s.Local.IsMissing():
		return &LocalFileGoneError{Err: s.Local.Err, Unlocked: s.Action == Restore, Addition: s.backToRef()}
	case s.Local.Err == nil && s.Local.Size > maxEmbedded:
		return tooLarge("the file has", s.Local.Size)
	}
	return s.Local.Err
}

// standsIn tells whether the vendored bytes of a pack are as good as its local file: they are
// locked, from a file at the same path. What packs.toml has beside the path may have changed.
func (s Step) standsIn() bool {
	return s.Reason != Updated && s.Locked.Path == s.Pack.Path && s.Vendored.Content == project.ContentOf(s.Locked)
}

// checkLocalFiles returns the errors about local files.
func (v *vendoring) checkLocalFiles(plan Plan) error {
	var errs []error
	for _, step := range plan.Steps {
		err := step.localFileError()
		if gone, ok := err.(*LocalFileGoneError); ok && v.edited != nil {
			gone.Addition = Addition{} // the file on disk is as it was: there is nothing to go back from
		}
		if err != nil {
			errs = append(errs, v.packError(step.Pack, Resolve, nil, err))
		}
	}
	return errors.Join(errs...)
}

// checkReleased returns the errors about packs that a locked run does not release.
func (s *session) checkReleased(plan Plan) error {
	var errs []error
	for _, step := range plan.Steps {
		if e := step.developedError(); e != nil {
			errs = append(errs, s.packError(step.Pack, Resolve, nil, e))
		}
	}
	return errors.Join(errs...)
}

// developedError returns the error about a pack under development: its local file is beside a
// ref. It returns nil for others.
func (s Step) developedError() *DevelopedError {
	pack := s.Pack
	if pack.Path == "" || pack.Ref == "" {
		return nil
	}
	return &DevelopedError{Path: pack.Path, Addition: s.backToRef()}
}

// backToRef is the addition that takes the reference of a pack instead of its file; the zero value
// if it has none.
func (s Step) backToRef() Addition {
	pack := s.Pack
	if pack.Ref == "" {
		return Addition{}
	}
	return Addition{Name: pack.Name, Reference: pack.Ref, Version: pack.Version, AllowTags: pack.Version == "" && pack.Reference.Digest == ""}
}

// resolveLocalFile locks the local file of a pack as it is now, or the vendored bytes that stand
// in for it.
func (v *vendoring) resolveLocalFile(t *task) {
	if t.Reason == NewBytes {
		v.events.event(FileChanged{Name: t.Pack.Name, Path: t.Pack.Path, Was: project.ContentOf(t.Locked), Now: t.Local.Content})
	}
	is := t.Local.Content
	if t.Local.IsMissing() {
		is = t.Vendored.Content
	}
	t.entry = withConfigured(lockfile.Entry{LayerDigest: is.Digest, Size: is.Size}, t.Pack)
}

// withConfigured returns an entry with what packs.toml has of the pack.
func withConfigured(entry lockfile.Entry, pack packsfile.Pack) lockfile.Entry {
	entry.Name, entry.Ref, entry.Version, entry.Layer, entry.Path = pack.Name, pack.Ref, pack.Version, pack.Layer, pack.Path
	return entry
}

// copyLocalFile stages the file of a pack.
func (v *vendoring) copyLocalFile(ctx context.Context, t *task, to *atomicfile.File) error {
	if err := v.p.CopyLocalFile(ctx, t.Pack.Path, project.ContentOf(t.entry), to); err != nil {
		return err
	}
	v.progress.copied(t.entry.Size)
	return nil
}

// suspectLocalFile warns of a file that is no pack.
func (v *vendoring) suspectLocalFile(t *task, bytes io.ReaderAt) {
	if bytes != nil && !fetch.IsZip(bytes) {
		v.events.event(FileNotZip{Name: t.Pack.Name, Path: t.Pack.Path})
	}
}

// A LocalFileGoneError reports that the local file of a pack is not there, and that no vendored
// bytes stand in for it.
type LocalFileGoneError struct {
	Err      error
	Unlocked bool     // the vendored bytes are not those that are locked
	Addition Addition // that goes back to the ref; the zero value without one
}

func (e *LocalFileGoneError) Error() string {
	if e.Unlocked {
		return e.Err.Error() + ", and what is vendored is not what is locked"
	}
	return e.Err.Error()
}

func (e *LocalFileGoneError) Unwrap() error { return e.Err }

// A DevelopedError reports a pack with a file beside its ref in a run that must not change
// packs.lock.
type DevelopedError struct {
	Path     string   // as packs.toml has it
	Addition Addition // that goes back to the ref
}

func (e *DevelopedError) Error() string {
	return "it comes from a file beside its ref, " + e.Path + ": a locked run takes no pack that is under development"
}

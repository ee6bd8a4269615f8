package vendorer

import (
	"context"
	"errors"
	"io"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// localFileError returns why the local file of a pack cannot be used; nil if it can, or is not
// needed: where it is not there, the vendored bytes are as good if they are the locked ones.
func (s Step) localFileError() error {
	switch {
	case s.Pack.Path == "", s.Local.IsMissing() && s.Action == Keep:
		return nil
	case s.Local.IsMissing() && s.Action == Restore:
		return &LocalFileGoneError{Err: s.Local.Err}
	case s.Local.Err == nil && s.Local.Size > maxEmbedded:
		return tooLarge("the file has", s.Local.Size)
	}
	return s.Local.Err
}

// checkLocalFiles returns the errors about local files.
func (s *session) checkLocalFiles(plan Plan) error {
	var errs []error
	for _, step := range plan.Steps {
		if err := step.localFileError(); err != nil {
			errs = append(errs, s.packError(step.Pack, Resolve, nil, err))
		}
	}
	return errors.Join(errs...)
}

// checkReleased returns the errors about packs under development: a file stands beside their
// ref, which a locked run does not release.
func (s *session) checkReleased(plan Plan) error {
	var errs []error
	for _, step := range plan.Steps {
		if pack := step.Pack; pack.Path != "" && pack.Ref != "" {
			e := &DevelopedError{Path: pack.Path, Addition: Addition{Name: pack.Name, Reference: pack.Ref, Version: pack.Version}}
			e.Addition.AllowTags = pack.Version == "" && pack.Reference.Digest == ""
			errs = append(errs, s.packError(pack, Resolve, nil, e))
		}
	}
	return errors.Join(errs...)
}

// entryOfFile returns the entry of a pack that is a file, as packs.lock gets it.
func (t *task) entryOfFile() lockfile.Entry {
	return lockfile.Entry{LayerDigest: t.Local.Digest, Size: t.Local.Size}
}

// resolveLocalFile locks the file of a pack as it is now.
func (v *vendoring) resolveLocalFile(t *task) {
	if t.Reason == NewBytes {
		v.events.event(FileChanged{Name: t.Pack.Name, Path: t.Pack.Path, Was: project.ContentOf(t.Locked), Now: t.Local.Content})
	}
	t.entry = withConfigured(t.entryOfFile(), t.Pack)
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

// A LocalFileGoneError reports that the local file of a pack is not there, and that its vendored
// bytes are not the locked ones.
type LocalFileGoneError struct{ Err error }

func (e *LocalFileGoneError) Error() string {
	return e.Err.Error() + ", and what is vendored is not what is locked"
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

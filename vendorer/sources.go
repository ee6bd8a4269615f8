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

// measureSources measures the files that packs are.
func (s *session) measureSources(ctx context.Context) (map[string]Source, error) {
	return s.p.MeasureSources(ctx, maxEmbedded)
}

// sourceError returns why the file that a pack is cannot be used; nil if it can, or is not
// needed: where it is not there, the vendored bytes are as good if they are the locked ones.
func (s Step) sourceError() error {
	switch {
	case s.Pack.Path == "", s.Source.IsMissing() && s.Action == Keep:
		return nil
	case s.Source.IsMissing() && s.Action == Restore:
		return &SourceGoneError{Err: s.Source.Err}
	case s.Source.Err == nil && s.Source.Size > maxEmbedded:
		return tooLarge("the file has", s.Source.Size)
	}
	return s.Source.Err
}

// checkSources returns the errors about files that packs are.
func (s *session) checkSources(plan Plan) error {
	var errs []error
	for _, step := range plan.Steps {
		if err := step.sourceError(); err != nil {
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
	return lockfile.Entry{LayerDigest: t.Source.Digest, Size: t.Source.Size}
}

// resolveFile locks the file of a pack as it is now.
func (v *vendoring) resolveFile(t *task) {
	if t.Reason == NewBytes {
		v.events.event(FileChanged{Name: t.Pack.Name, Path: t.Pack.Path, Was: project.ContentOf(t.Locked), Now: t.Source.Content})
	}
	t.entry = withConfigured(t.entryOfFile(), t.Pack)
}

// withConfigured returns an entry with what packs.toml has of the pack.
func withConfigured(entry lockfile.Entry, pack packsfile.Pack) lockfile.Entry {
	entry.Name, entry.Ref, entry.Version, entry.Layer, entry.Path = pack.Name, pack.Ref, pack.Version, pack.Layer, pack.Path
	return entry
}

// copyFile stages the file of a pack.
func (v *vendoring) copyFile(ctx context.Context, t *task, to *atomicfile.File) error {
	if err := v.p.CopySource(ctx, t.Pack.Path, project.ContentOf(t.entry), to); err != nil {
		return err
	}
	v.progress.copied(t.entry.Size)
	return nil
}

// suspectFile warns of a file that is no pack.
func (v *vendoring) suspectFile(t *task, bytes io.ReaderAt) {
	if bytes != nil && !fetch.IsZip(bytes) {
		v.events.event(FileNotZip{Name: t.Pack.Name, Path: t.Pack.Path})
	}
}

// A SourceGoneError reports that the file of a pack is not there, and that its vendored bytes
// are not the locked ones.
type SourceGoneError struct{ Err error }

func (e *SourceGoneError) Error() string {
	return e.Err.Error() + ", and what is vendored is not what is locked"
}

func (e *SourceGoneError) Unwrap() error { return e.Err }

// A DevelopedError reports a pack with a file beside its ref in a run that must not change
// packs.lock.
type DevelopedError struct {
	Path     string   // as packs.toml has it
	Addition Addition // that goes back to the ref
}

func (e *DevelopedError) Error() string {
	return "it comes from a file beside its ref, " + e.Path + ": a locked run takes no pack that is under development"
}

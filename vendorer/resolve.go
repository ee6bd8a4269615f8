package vendorer

import (
	"context"
	"strings"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// A task is a step that vendoring carries out.
type task struct {
	Step
	entry  lockfile.Entry  // the new entry
	pack   *fetch.Resolved // nil where the bytes are not needed
	staged *atomicfile.File
	sample marker.Sample // of the staged bytes
	// evidence is the file of the entry's evidence, if it is to be written.
	evidence []byte
	apart    bool // staged is made durable by itself
	fetched  bool
	bundled  bool    // its bytes came from a bundle
	source   string  // that of PackReport
	told     []Event // about the signer, once the run succeeds
}

// tell keeps an event that is true only of a run that succeeds.
func (t *task) tell(e Event) { t.told = append(t.told, e) }

// tasks returns the tasks of a plan, with their present entries.
func (p Plan) tasks() []*task {
	tasks := make([]*task, len(p.Steps))
	for n, step := range p.Steps {
		tasks[n] = &task{Step: step, entry: step.Locked}
	}
	return tasks
}

// mustWrite tells whether the vendored file must be written.
func (t *task) mustWrite() bool { return t.Vendored.Content != project.ContentOf(t.entry) }

// prepare finds a task's new entry, and its bytes if they are needed.
func (v *vendoring) prepare(ctx context.Context, t *task) error {
	var err error
	switch t.Action {
	case Resolve:
		if err = v.resolve(ctx, t); err == nil {
			err = v.measureAgain(ctx, t)
		}
	case Restore:
		err = v.resolveLocked(ctx, t)
	default:
		if t.Locked.Signer != "" { // the evidence has the manifest
			err = v.checkEntry(t)
		} else {
			_, err = v.checkLocked(t)
		}
	}
	if err == nil {
		err = v.settleSigner(ctx, t)
	}
	if err != nil {
		return v.packError(t.Pack, t.Action, &t.Locked, err)
	}
	return nil
}

// measureAgain hashes a vendored file whose expected size is only known now.
func (v *vendoring) measureAgain(ctx context.Context, t *task) (err error) {
	if is := t.Vendored; is.Digest == "" && !is.IsZero() && is.Size == t.entry.Size {
		t.Vendored, err = v.p.Measure(ctx, v.p.PackFile(t.Pack.Name), t.entry.Size)
	}
	return err
}

// resolve locks a pack anew.
func (v *vendoring) resolve(ctx context.Context, t *task) error {
	if t.Reason == Stale {
		v.events.event(StaleEntry{
			Name:       t.Pack.Name,
			Locked:     configuredText(t.Locked.Ref, t.Locked.Version, t.Locked.Layer, t.Locked.Path),
			Configured: configuredText(t.Pack.Ref, t.Pack.Version, t.Pack.Layer, t.Pack.Path),
		})
	}
	if t.Pack.Path != "" {
		v.resolveLocalFile(t)
		return nil
	}
	pack := v.resolved[t.Pack.Name]
	if pack == nil {
		var err error
		if pack, err = v.resolvePack(ctx, t.Pack); err != nil {
			return err
		}
		v.checkTag(ctx, t)
	}
	t.pack = pack
	t.entry = withConfigured(entryOf(pack), t.Pack)
	return nil
}

// entryOf returns the entry of a pack, without the fields from packs.toml.
func entryOf(pack *fetch.Resolved) lockfile.Entry {
	return lockfile.Entry{
		Tag:            pack.Tag,
		IndexDigest:    pack.IndexDigest,
		ManifestDigest: pack.ManifestDigest,
		LayerDigest:    ociref.Digest(pack.Layer.Digest),
		Size:           pack.Layer.Size,
		MediaType:      pack.Layer.MediaType,
	}
}

// resolvePack resolves a pack by its reference or range in packs.toml.
func (s *session) resolvePack(ctx context.Context, pack packsfile.Pack) (*fetch.Resolved, error) {
	if pack.Version == "" {
		return s.Resolve(ctx, pack.Reference, pack.Layer)
	}
	tag, err := tagpolicy.Choose(pack, "", false, s.list(ctx, pack.Reference))
	if err != nil {
		return nil, err
	}
	return s.Resolve(ctx, pack.Reference.WithTag(tag), pack.Layer)
}

// configuredText joins the fields that make an entry stale if they change.
func configuredText(ref, version, layer, file string) string {
	words := ref
	if version != "" {
		words += " version " + version
	}
	if layer != "" {
		words += " layer " + layer
	}
	if file != "" {
		words += " path " + file
	}
	return strings.TrimPrefix(words, " ")
}

// checkTag warns of a tag that no longer names the digest beside it. The run locks the
// digest anyway, so an error is only an event.
func (s *session) checkTag(ctx context.Context, t *task) {
	ref := t.Pack.Reference
	if ref.Tag == "" || ref.Digest == "" || s.o.Offline {
		return
	}
	now, err := s.Follow(ctx, ref, ref.Digest, t.Pack.Layer)
	if err != nil {
		s.events.event(TagUnchecked{Name: t.Pack.Name, Ref: t.Pack.Ref, Err: err})
	} else if now != nil {
		s.events.event(TagMoved{Name: t.Pack.Name, Ref: t.Pack.Ref, Pinned: ref.Digest, Now: now.Digest()})
	}
}

// resolveLocked resolves the locked pack. It asks the registry only for the manifest
// that packs.lock names.
func (v *vendoring) resolveLocked(ctx context.Context, t *task) error {
	if err := v.checkEntry(t); err != nil || t.Pack.Path != "" {
		return err
	}
	ref, layer := t.Pack.Reference.WithDigest(t.Locked.ManifestDigest), t.Pack.Layer
	pack, err := v.ResolveCached(ref, t.Locked.ManifestDigest, layer)
	switch {
	case isNotCached(err) && v.o.Offline && !v.HasBundled(t.Locked.ManifestDigest):
		pack, err = v.FromLock(ref, t.Locked.ManifestDigest, lockedLayer(t.Locked), layer)
	case isNotCached(err):
		pack, err = v.Resolve(ctx, ref, layer)
	}
	if err != nil {
		return asInconsistent(t.Locked, err)
	}
	t.pack = pack
	return compare(t.Locked, pack)
}

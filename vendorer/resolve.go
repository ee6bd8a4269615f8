package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// An item is a step on its way to being vendored.
type item struct {
	Step
	entry   lockfile.Pack   // as it will be locked
	pack    *fetch.Resolved // nil where the bytes are not needed
	staged  *atomicfile.File
	apart   bool // staged is made durable by itself
	fetched bool
}

// items are the steps of a plan, locked as they are.
func (p Plan) items() []*item {
	items := make([]*item, len(p.Steps))
	for n, step := range p.Steps {
		items[n] = &item{Step: step, entry: step.Locked}
	}
	return items
}

// wanted tells whether the vendored file must be written.
func (i *item) wanted() bool { return i.Vendored.Content != project.ContentOf(i.entry) }

// settle finds out how the item will be locked, and where its bytes are if
// they are needed.
func (v *vendoring) settle(ctx context.Context, i *item) error {
	var err error
	switch i.Action {
	case Resolve:
		if err = v.resolve(ctx, i); err == nil {
			err = v.measureAgain(ctx, i)
		}
	case Restore:
		err = v.obey(ctx, i)
	default:
		_, err = v.check(i)
	}
	if err != nil {
		return v.packError(i.Pack, i.Action, &i.Locked, err)
	}
	return nil
}

// measureAgain reads what stands in an item's place if it may be what the item will
// be locked as, and nobody could know that before.
func (v *vendoring) measureAgain(ctx context.Context, i *item) (err error) {
	if is := i.Vendored; is.Digest == "" && !is.IsZero() && is.Size == i.entry.Size {
		i.Vendored, err = v.p.Measure(ctx, v.p.PackFile(i.Pack.Name), i.entry.Size)
	}
	return err
}

// resolve locks a pack anew.
func (v *vendoring) resolve(ctx context.Context, i *item) error {
	if i.Reason == Stale {
		v.events.event(StaleEntry{
			Name:       i.Pack.Name,
			Locked:     inWords(i.Locked.Ref, i.Locked.Version, i.Locked.Layer),
			Configured: inWords(i.Pack.Ref, i.Pack.Version, i.Pack.Layer),
		})
	}
	pack := v.resolved[i.Pack.Name]
	if pack == nil {
		var err error
		if pack, err = v.find(ctx, i.Pack); err != nil {
			return err
		}
		v.checkTag(ctx, i)
	}
	i.pack = pack
	i.entry = entryOf(pack)
	i.entry.Name, i.entry.Ref, i.entry.Version, i.entry.Layer = i.Pack.Name, i.Pack.Ref, i.Pack.Version, i.Pack.Layer
	return nil
}

// entryOf is an entry of packs.lock for what was found, without what packs.toml says.
func entryOf(pack *fetch.Resolved) lockfile.Pack {
	return lockfile.Pack{
		Tag:            pack.Tag,
		IndexDigest:    pack.IndexDigest,
		ManifestDigest: pack.ManifestDigest,
		LayerDigest:    ociref.Digest(pack.Layer.Digest),
		Size:           pack.Layer.Size,
		MediaType:      pack.Layer.MediaType,
	}
}

// find resolves a pack as packs.toml has it.
func (s *session) find(ctx context.Context, pack packsfile.Pack) (*fetch.Resolved, error) {
	if pack.Version == "" {
		return s.Resolve(ctx, pack.Reference, pack.Layer)
	}
	tag, err := tagpolicy.Choose(pack, "", false, s.list(ctx, pack.Reference))
	if err != nil {
		return nil, err
	}
	return s.Resolve(ctx, pack.Reference.WithTag(tag), pack.Layer)
}

// inWords are packs.toml's words for a pack: what makes an entry stale if it
// changes.
func inWords(ref, version, layer string) string {
	words := ref
	if version != "" {
		words += " version " + version
	}
	if layer != "" {
		words += " layer " + layer
	}
	return words
}

// checkTag warns of a reference whose tag and digest have parted. What is
// locked is the digest either way, so nothing here can fail a run.
func (s *session) checkTag(ctx context.Context, i *item) {
	ref := i.Pack.Reference
	if ref.Tag == "" || ref.Digest == "" || s.o.Offline {
		return
	}
	now, err := s.Follow(ctx, ref, ref.Digest, i.Pack.Layer)
	if err != nil {
		s.events.event(TagUnchecked{Name: i.Pack.Name, Ref: i.Pack.Ref, Err: err})
	} else if now != nil {
		s.events.event(TagMoved{Name: i.Pack.Name, Ref: i.Pack.Ref, Pinned: ref.Digest, Now: now.Digest()})
	}
}

// obey finds the pack that is locked. Of the registry only the manifest is
// asked that packs.lock names.
func (v *vendoring) obey(ctx context.Context, i *item) error {
	if err := v.checkEntry(i); err != nil {
		return err
	}
	ref, layer := i.Pack.Reference.WithDigest(i.Locked.ManifestDigest), i.Pack.Layer
	pack, err := v.ResolveCached(ref, i.Locked.ManifestDigest, layer)
	switch {
	case isNotCached(err) && v.o.Offline:
		pack, err = v.Pinned(ref, i.Locked.ManifestDigest, lockedLayer(i.Locked), layer)
	case isNotCached(err):
		pack, err = v.Resolve(ctx, ref, layer)
	}
	if err != nil {
		return liesIfUnusable(i.Locked, err)
	}
	i.pack = pack
	return compare(i.Locked, pack)
}

package vendorer

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"path"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
)

// Add pins reference under name in packs.toml, as repository:tag@digest, and
// vendors. A name that is there already gets the new reference and keeps its
// other keys. name may be "": then it is the repository's last part. Other
// packs that lack a pin stay as they are.
func Add(ctx context.Context, o Options, name, reference string) (*Report, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	if ref.Tag == "" && ref.Digest == "" {
		return nil, &packfetch.InvalidReferenceError{Reference: reference, Reason: "it has neither a tag nor a digest"}
	}
	if name == "" {
		name = path.Base(ref.Repository)
	}
	r, err := start(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.pin(ctx, name, ref); err != nil {
		return nil, err
	}
	return r.vendor(ctx)
}

// pin writes ref into packs.toml's new bytes, with the digest that its tag
// names now if it has none.
func (r *run) pin(ctx context.Context, name string, ref ociref.Reference) error {
	if ref.Digest == "" {
		if err := r.checkEdit(name, ref); err != nil {
			return err
		}
		before, _ := r.p.config.Pack(name)
		pack, err := r.f.Resolve(ctx, ref.String(), before.Layer)
		if err != nil {
			return r.packError(packsfile.Pack{Name: name, Ref: ref.String(), Reference: ref}, Resolve, nil, err)
		}
		ref = r.keepResolved(name, ref, pack)
		if was := before.Reference; was.Digest != "" && was.Name() == ref.Name() && was.Tag == ref.Tag && was.Digest != ref.Digest {
			r.tell.event(TagMoved{Name: name, Ref: before.Ref, Pinned: was.Digest, Now: ref.Digest})
		}
	}
	r.update[name] = true
	return r.edit(map[string]string{name: ref.String()}, true)
}

// checkEdit sees, before any network, that ref can be pinned as name: with any
// digest, since the true one is not known yet.
func (r *run) checkEdit(name string, ref ociref.Reference) error {
	ref.Digest = ociref.DigestOf(nil)
	_, config, err := r.tryEdit(map[string]string{name: ref.String()}, true)
	if err == nil {
		_, err = r.goPackage(config)
	}
	return err
}

// keepResolved pins ref to what pack was resolved to, and spares the run from
// resolving it again.
func (r *run) keepResolved(name string, ref ociref.Reference, pack *packfetch.Pack) ociref.Reference {
	ref.Digest = pack.Digest()
	pack.Reference, pack.Tag = ref.String(), ""
	r.resolved[name] = pack
	return ref
}

// edit gives packs new references in packs.toml. The result is read as any
// packs.toml is; with tolerant set, packs that lack a pin are left out.
func (r *run) edit(refs map[string]string, tolerant bool) error {
	edited, config, err := r.tryEdit(refs, tolerant)
	if err != nil {
		return err
	}
	r.edited = edited
	if tolerant {
		r.leaveOut(config)
	}
	return r.p.configure(config)
}

// tryEdit returns packs.toml with new references, as bytes and as read.
func (r *run) tryEdit(refs map[string]string, tolerant bool) ([]byte, *packsfile.File, error) {
	file := r.p.show(r.p.tomlFile)
	edited := bytes.Clone(r.p.toml)
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		var err error
		if edited, err = packsfile.SetRef(edited, name, refs[name]); err != nil {
			return nil, nil, &EditError{File: file, Name: name, Err: err}
		}
	}
	config, err := packsfile.Parse(file, edited)
	var errs packsfile.Errors
	if tolerant && errors.As(err, &errs) && errs.OnlyUnpinned() {
		err = nil
	}
	return edited, config, err
}

// leaveOut makes of packs that lack a pin what they are now: as locked, if they
// are; else nothing.
func (r *run) leaveOut(config *packsfile.File) {
	var packs []packsfile.Pack
	for _, pack := range config.Packs {
		if pack.Pinned() {
			packs = append(packs, pack)
			continue
		}
		r.tell.event(LeftOut{Name: pack.Name, Ref: pack.Ref})
		if entry, locked := r.p.lock.Pack(pack.Name); locked {
			packs = append(packs, asLocked(pack, entry))
		}
	}
	config.Packs = packs
}

// asLocked is pack in the words of its entry.
func asLocked(pack packsfile.Pack, entry lockfile.Pack) packsfile.Pack {
	pack.Ref, pack.Version, pack.Layer = entry.Ref, entry.Version, entry.Layer
	pack.Reference, _ = ociref.Parse(entry.Ref) // lockfile.Parse has checked it
	return pack
}

package vendorer

import (
	"bytes"
	"cmp"
	"context"
	"errors"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// An Addition is a pack to add.
type Addition struct {
	// Name is the pack's name in packs.toml; "" is the repository's last part.
	Name string
	// Reference names the pack, in the form that the other fields want.
	Reference string
	// Version is a range: it is written down instead of a tag or digest.
	Version string
	// AllowTags writes the tag down without a digest.
	AllowTags bool
	// Pin writes tag and digest down, also where the pack has another form now.
	Pin bool
}

// AddOptions say what Add adds.
type AddOptions struct {
	Packs []Addition
	// DryRun finds out what would be done, and writes nothing.
	DryRun bool
}

// Add writes packs into packs.toml and vendors. The form of a new pack is
// repository:tag@digest, with the digest that the tag names now, unless an
// Addition says otherwise; where it names neither tag nor digest, the tag is the
// newest version. A pack that is there already keeps its form, go_name and layer.
// If it comes from another repository it is replaced only by name; otherwise that
// is a *TakenError. Other packs that lack a pin stay as they are.
func Add(ctx context.Context, o Options, ao AddOptions) (*Report, error) {
	if err := checkReferences(ao.Packs); err != nil {
		return nil, err
	}
	r, err := start(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.dryRun = ao.DryRun
	adding, err := r.parseAdditions(ao.Packs)
	if err != nil {
		return nil, err
	}
	if err := r.checkAdditions(adding); err != nil {
		return nil, r.renamed(adding, err)
	}
	if err := eachPack(ctx, r, PhaseResolving, adding, r.pin); err != nil {
		return nil, err
	}
	entries := map[string]packsfile.Entry{}
	for _, a := range adding {
		entries[a.Name] = a.entry()
		r.update[a.Name] = true
	}
	if err := r.edit(setEntries(entries), true); err != nil {
		return nil, err
	}
	return r.vendor(ctx)
}

// An adding is an Addition on its way into packs.toml.
type adding struct {
	Addition
	ref ociref.Reference // as it is written there
}

// entry is what is written.
func (a *adding) entry() packsfile.Entry {
	return packsfile.Entry{Ref: a.ref.String(), Version: a.Version, AllowTags: a.AllowTags}
}

// checkAdditions sees, before any network, that the packs can be written: with
// any tag and digest, since the true ones are not known yet.
func (r *run) checkAdditions(list []*adding) error {
	entries := map[string]packsfile.Entry{}
	for _, a := range list {
		entry := a.entry()
		if a.Version == "" && !a.AllowTags {
			ref := a.ref
			ref.Digest = cmp.Or(ref.Digest, ociref.DigestOf(nil))
			entry.Ref = ref.String()
		}
		entries[a.Name] = entry
	}
	_, config, err := r.tryEdit(setEntries(entries), true)
	if err == nil {
		_, err = r.goPackage(config)
	}
	return err
}

// pin gives a pack's reference what it lacks: a tag, and the digest that its tag
// names now.
func (r *run) pin(ctx context.Context, a *adding) error {
	if a.ref.Digest != "" || a.Version != "" || a.AllowTags {
		return nil
	}
	if err := r.pinTag(ctx, a); err != nil {
		return r.packError(packsfile.Pack{Name: a.Name, Ref: a.ref.String(), Reference: a.ref}, Resolve, nil, err)
	}
	return nil
}

func (r *run) pinTag(ctx context.Context, a *adding) error {
	if a.ref.Tag == "" {
		tags, err := r.list(ctx, a.ref)()
		if err != nil {
			return err
		}
		if a.ref.Tag, err = tagpolicy.Newest(a.ref.Name(), tags); err != nil {
			return err
		}
	}
	before, _ := r.p.Config.Pack(a.Name)
	pack, err := r.f.Resolve(ctx, a.ref, before.Layer)
	if err != nil {
		return withNearTags(a.ref, err, r.list(ctx, a.ref))
	}
	a.ref = r.keepResolved(a.Name, a.ref, pack)
	was := before.Reference
	if was.Digest != "" && was.Name() == a.ref.Name() && was.Tag == a.ref.Tag && was.Digest != a.ref.Digest {
		r.tell.event(TagMoved{Name: a.Name, Ref: before.Ref, Pinned: was.Digest, Now: a.ref.Digest})
	}
	return nil
}

// keepResolved pins ref to what pack was resolved to, and spares the run from
// resolving it again. It may be called concurrently.
func (r *run) keepResolved(name string, ref ociref.Reference, pack *fetch.Pack) ociref.Reference {
	ref.Digest = pack.Digest()
	pack.Reference, pack.Tag = ref, ""
	r.keep(name, pack)
	return ref
}

// keep spares the run from resolving a pack again. It may be called concurrently.
func (r *run) keep(name string, pack *fetch.Pack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resolved[name] = pack
}

// An editor makes of one text of packs.toml the next.
type editor func(data []byte) ([]byte, error)

// setEntries writes packs.
func setEntries(entries map[string]packsfile.Entry) editor {
	return func(data []byte) ([]byte, error) { return packsfile.SetAll(data, entries) }
}

// setRefs gives packs new references.
func setRefs(refs map[string]string) editor {
	return func(data []byte) ([]byte, error) { return packsfile.SetRefs(data, refs) }
}

// edit edits packs.toml. The result is read as any packs.toml is; with tolerant
// set, packs that lack a pin are left out.
func (r *run) edit(edit editor, tolerant bool) error {
	edited, config, err := r.tryEdit(edit, tolerant)
	if err != nil {
		return err
	}
	r.edited = edited
	r.keepLines(config)
	if tolerant {
		r.leaveOut(config)
	}
	return r.p.Configure(config)
}

// keepLines gives the packs of an edited packs.toml the lines that they have on
// disk: what fails is told before the edited one is there.
func (r *run) keepLines(config *packsfile.File) {
	for i, pack := range config.Packs {
		if before, ok := r.p.Config.Pack(pack.Name); ok {
			config.Packs[i].Line = before.Line
		} else {
			config.Packs[i].Line = 0
		}
	}
}

// tryEdit returns packs.toml edited, as bytes and as read.
func (r *run) tryEdit(edit editor, tolerant bool) ([]byte, *packsfile.File, error) {
	file := r.p.Show(r.p.TOMLFile)
	edited, err := edit(bytes.Clone(r.p.TOML))
	if err != nil {
		return nil, nil, &EditError{File: file, Err: err}
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
		if entry, locked := r.p.Lock.Pack(pack.Name); locked {
			packs = append(packs, asLocked(pack, entry))
		}
	}
	config.Packs = packs
}

// asLocked is pack in the words of its entry.
func asLocked(pack packsfile.Pack, entry lockfile.Pack) packsfile.Pack {
	pack.Ref, pack.Version, pack.Layer = entry.Ref, entry.Version, entry.Layer
	pack.Reference = entry.Reference()
	return pack
}

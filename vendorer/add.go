package vendorer

import (
	"cmp"
	"context"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// An Addition is a pack to add.
type Addition struct {
	// Name is the pack's name in packs.toml; "" is the repository's last part.
	Name string
	// Reference names the pack: a registry's reference, or NAME@TAG.
	Reference string
	// Path is the file that is the pack, from the working directory. There is then no
	// Reference. A pack that is there already keeps its reference beside it.
	Path string
	// Version is a range. packs.toml gets it instead of a tag or digest.
	Version string
	// AllowTags writes the tag without a digest.
	AllowTags bool
	// Pin writes tag and digest, even if the pack has another form now.
	Pin bool
}

// AddOptions list the packs that Add adds.
type AddOptions struct {
	Packs []Addition
	// DryRun plans the run and writes nothing.
	DryRun bool
}

// Add writes packs into packs.toml and vendors them. A new pack gets the form
// repository:tag@digest, with the digest that the tag names now, unless its Addition
// asks for another form. Without tag and digest, Add takes the newest version. A pack
// that is there already keeps its form, go_name and layer. Only an Addition with a Name
// replaces a pack of another repository; without one, Add returns a *TakenError. A pack
// that was a file is then no longer one. Other packs without a pin stay as they are.
func Add(ctx context.Context, o Options, ao AddOptions) (*Report, error) {
	if err := checkReferences(ao.Packs); err != nil {
		return nil, err
	}
	v, err := openVendoring(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer v.close()
	v.dryRun = ao.DryRun
	adding, err := v.parseAdditions(ao.Packs)
	if err != nil {
		return nil, err
	}
	if err := v.checkAdditions(adding); err != nil {
		return nil, v.renamed(adding, err)
	}
	var added []packsfile.Pack
	for _, a := range adding {
		added = append(added, packsfile.Pack{Name: a.Name, Ref: a.ref.String(), Reference: a.ref, Version: a.Version, Path: a.Path})
	}
	if err := v.checkFollowed(ctx, added); err != nil {
		return nil, err
	}
	if err := eachPack(ctx, v.client, PhaseResolving, adding, v.pin); err != nil {
		return nil, err
	}
	entries := map[string]packsfile.Entry{}
	for _, a := range adding {
		entries[a.Name] = a.entry()
		v.relock[a.Name] = true
	}
	if err := v.edit(setEntries(entries), true); err != nil {
		return nil, err
	}
	return v.vendor(ctx)
}

// A pendingAdd is an Addition on its way into packs.toml.
type pendingAdd struct {
	Addition
	ref  ociref.Reference // as packs.toml gets it
	file packsfile.Entry  // of a pack with a Path
}

// entry returns the pack's entry for packs.toml.
func (a *pendingAdd) entry() packsfile.Entry {
	if a.Path != "" {
		return a.file
	}
	return packsfile.Entry{Ref: a.ref.String(), Version: a.Version, AllowTags: a.AllowTags}
}

// checkAdditions checks, before any network, that packs.toml can hold the packs. A
// placeholder stands for a digest that is not known yet.
func (v *vendoring) checkAdditions(list []*pendingAdd) error {
	entries := map[string]packsfile.Entry{}
	for _, a := range list {
		entry := a.entry()
		if a.Path == "" && a.Version == "" && !a.AllowTags {
			ref := a.ref
			ref.Digest = cmp.Or(ref.Digest, ociref.DigestOf(nil))
			entry.Ref = ref.String()
		}
		entries[a.Name] = entry
	}
	_, config, err := v.tryEdit(setEntries(entries), true)
	if err == nil {
		_, err = v.goPackage(config)
	}
	return err
}

// pin completes a pack's reference: it adds the newest tag, and the tag's digest.
func (v *vendoring) pin(ctx context.Context, a *pendingAdd) error {
	if a.Path != "" || a.ref.Digest != "" || a.Version != "" || a.AllowTags {
		return nil
	}
	if err := v.pinTag(ctx, a); err != nil {
		return v.packError(packsfile.Pack{Name: a.Name, Ref: a.ref.String(), Reference: a.ref}, Resolve, nil, err)
	}
	return nil
}

func (v *vendoring) pinTag(ctx context.Context, a *pendingAdd) error {
	if a.ref.Tag == "" {
		tags, err := v.list(ctx, a.ref)()
		if err != nil {
			return err
		}
		if a.ref.Tag, err = tagpolicy.Newest(a.ref.Name(), tags); err != nil {
			return err
		}
	}
	before, _ := v.p.Config.Pack(a.Name)
	pack, err := v.Resolve(ctx, a.ref, before.Layer)
	if err != nil {
		return withNearTags(a.ref, err, v.list(ctx, a.ref))
	}
	a.ref = v.memoisePinned(a.Name, a.ref, pack)
	was := before.Reference
	if was.Digest != "" && was.Name() == a.ref.Name() && was.Tag == a.ref.Tag && was.Digest != a.ref.Digest {
		v.events.event(TagMoved{Name: a.Name, Ref: before.Ref, Pinned: was.Digest, Now: a.ref.Digest})
	}
	return nil
}

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

// An pendingAdd is an Addition on its way into packs.toml.
type pendingAdd struct {
	Addition
	ref ociref.Reference // as it is written there
}

// entry is what is written.
func (a *pendingAdd) entry() packsfile.Entry {
	return packsfile.Entry{Ref: a.ref.String(), Version: a.Version, AllowTags: a.AllowTags}
}

// checkAdditions sees, before any network, that the packs can be written: with
// any tag and digest, since the true ones are not known yet.
func (v *vendoring) checkAdditions(list []*pendingAdd) error {
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
	_, config, err := v.tryEdit(setEntries(entries), true)
	if err == nil {
		_, err = v.goPackage(config)
	}
	return err
}

// pin gives a pack's reference what it lacks: a tag, and the digest that its tag
// names now.
func (v *vendoring) pin(ctx context.Context, a *pendingAdd) error {
	if a.ref.Digest != "" || a.Version != "" || a.AllowTags {
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

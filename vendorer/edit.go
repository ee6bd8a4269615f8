package vendorer

import (
	"bytes"
	"errors"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// An editor turns one text of packs.toml into the next.
type editor func(data []byte) ([]byte, error)

// setEntries returns an editor that writes entries.
func setEntries(entries map[string]packsfile.Entry) editor {
	return func(data []byte) ([]byte, error) { return packsfile.SetAll(data, entries) }
}

// setRefs returns an editor that changes references.
func setRefs(refs map[string]string) editor {
	return func(data []byte) ([]byte, error) { return packsfile.SetRefs(data, refs) }
}

// edit edits packs.toml in memory and parses the result. With tolerant set, it leaves
// out packs without a pin.
func (v *vendoring) edit(edit editor, tolerant bool) error {
	edited, parsed, err := v.tryEdit(edit, tolerant)
	if err != nil {
		return err
	}
	config := *parsed
	config.Packs = v.packsToVendor(parsed.Packs, tolerant)
	config.Limits = v.p.Config.Limits // with their lines on disk, since errors precede the edited file
	v.edited = edited
	return v.p.Configure(&config)
}

// packsToVendor returns the packs of an edited packs.toml. They keep their lines on
// disk, 0 for new ones, since errors precede the edited file. With tolerant set, a pack
// without a pin stays as it is locked, or is left out.
func (s *session) packsToVendor(packs []packsfile.Pack, tolerant bool) []packsfile.Pack {
	var chosen []packsfile.Pack
	for _, pack := range packs {
		before, _ := s.p.Config.Pack(pack.Name)
		pack.Line = before.Line
		if !tolerant || pack.Pinned() {
			chosen = append(chosen, pack)
			continue
		}
		s.events.event(LeftOut{Name: pack.Name, Ref: pack.Ref})
		if entry, locked := s.p.Lock.Entry(pack.Name); locked {
			chosen = append(chosen, asLocked(pack, entry))
		}
	}
	return chosen
}

// tryEdit returns the edited packs.toml, as bytes and parsed.
func (s *session) tryEdit(edit editor, tolerant bool) ([]byte, *packsfile.File, error) {
	file := s.p.Show(s.p.TOMLFile)
	edited, err := edit(bytes.Clone(s.p.TOML))
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

// asLocked returns pack with the reference, version and layer of its entry.
func asLocked(pack packsfile.Pack, entry lockfile.Entry) packsfile.Pack {
	pack.Ref, pack.Version, pack.Layer, pack.Path = entry.Ref, entry.Version, entry.Layer, entry.Path
	pack.Reference = entry.Reference()
	return pack
}

// memoisePinned pins ref to the digest of pack, and memoises pack. It may be called
// concurrently.
func (v *vendoring) memoisePinned(name string, ref ociref.Reference, pack *fetch.Resolved) ociref.Reference {
	ref.Digest = pack.Digest()
	pinned := *pack
	pinned.Reference, pinned.Tag = ref, ""
	v.memoise(name, &pinned)
	return ref
}

// memoise spares the run a second request for a pack. It may be called concurrently.
func (v *vendoring) memoise(name string, pack *fetch.Resolved) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.resolved[name] = pack
}

package vendorer

import (
	"bytes"
	"errors"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

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
func (v *vendoring) edit(edit editor, tolerant bool) error {
	edited, parsed, err := v.tryEdit(edit, tolerant)
	if err != nil {
		return err
	}
	config := *parsed
	config.Packs = v.packsToVendor(parsed.Packs, tolerant)
	v.edited = edited
	return v.p.Configure(&config)
}

// packsToVendor returns the packs of an edited packs.toml. Their lines are those that
// they have on disk, 0 for new ones: errors are told before the edited file is there.
// With tolerant set, a pack without a pin stays as it is locked, or is left out.
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

// tryEdit returns packs.toml edited, as bytes and as read.
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

// asLocked is pack in the words of its entry.
func asLocked(pack packsfile.Pack, entry lockfile.Entry) packsfile.Pack {
	pack.Ref, pack.Version, pack.Layer = entry.Ref, entry.Version, entry.Layer
	pack.Reference = entry.Reference()
	return pack
}

// memoisePinned pins ref to what pack was resolved to, and spares the run from
// resolving it again. It may be called concurrently.
func (v *vendoring) memoisePinned(name string, ref ociref.Reference, pack *fetch.Resolved) ociref.Reference {
	ref.Digest = pack.Digest()
	pinned := *pack
	pinned.Reference, pinned.Tag = ref, ""
	v.memoise(name, &pinned)
	return ref
}

// memoise spares the run from resolving a pack again. It may be called concurrently.
func (v *vendoring) memoise(name string, pack *fetch.Resolved) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.resolved[name] = pack
}

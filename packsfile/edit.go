package packsfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// errByHand refuses what the edits here do not know how to do.
var errByHand = errors.New("it is written in a form that cannot be edited: edit the file by hand")

// SetRefs returns the text of a packs.toml in which the packs of refs, by their names,
// have those references; packs that the file lacks are added. data itself is left
// alone.
//
// It changes the lines it must and no others: comments, order, blank lines
// and line ends survive, as do the other keys of the pack. It only demands
// that data is TOML, not that it makes sense. Before it returns it reads its
// own work; whatever it cannot edit with certainty is an error. Packs that are there
// already are edited together: the file is read twice, however many they are.
func SetRefs(data []byte, refs map[string]string) ([]byte, error) {
	t := &text{data: data}
	packs, err := t.packs()
	if err != nil && len(refs) > 0 {
		return nil, refError(slices.Min(slices.Collect(maps.Keys(refs))), err)
	}
	var known, unknown []string
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if packs.child(name) != nil {
			known = append(known, name)
		} else {
			unknown = append(unknown, name)
		}
	}
	if err := t.setRefs(known, refs); err != nil {
		return nil, err
	}
	for _, name := range unknown { // each goes where the last one is
		if err := t.setRefs([]string{name}, refs); err != nil {
			return nil, err
		}
	}
	return t.data, nil
}

func (t *text) setRefs(names []string, refs map[string]string) error {
	for _, name := range names {
		if err := (Entry{Ref: refs[name]}).check(name); err != nil {
			return refError(name, err)
		}
	}
	name, err := t.change(names, func(d *document, packs *node, name string) ([]assignment, []edit, error) {
		keys := []assignment{{"ref", refs[name]}}
		n := packs.child(name)
		if n == nil {
			return keys, d.addPack(packs, name, keys), nil
		}
		edits, err := d.replaceRef(n, refs[name])
		return keys, edits, err
	})
	if err != nil {
		return refError(name, err)
	}
	return nil
}

func refError(name string, err error) error {
	return fmt.Errorf("cannot set the reference of %s: %w", packKey(name), err)
}

// replaceRef replaces the reference of the pack n.
func (d *document) replaceRef(n *node, ref string) ([]edit, error) {
	if n.isTable() {
		n = n.child("ref")
	}
	if n == nil {
		return nil, errors.New("the pack has no ref to replace")
	}
	if _, ok := n.decoded.(string); !ok {
		return nil, errors.New("what stands in its place is not a string")
	}
	return d.replace(n, ref)
}

// replace gives n another value, in the kind of quotation marks that the old
// one has. A value that is there already stays as it is written.
func (d *document) replace(n *node, value any) ([]edit, error) {
	switch {
	case n.form != leaf && n.form != inline:
		return nil, errByHand
	case n.decoded == value:
		return nil, nil
	}
	return []edit{{n.value, style{equals, d.markAt(n.value.start)}.value(value)}}, nil
}

// A plan finds the edits that give a pack's entry its keys, or take it out if
// there are none. packs is nil where the file has no such table.
type plan func(d *document, packs *node, name string) (keys []assignment, edits []edit, err error)

// A text is a packs.toml that is edited, as it is after the last change.
type text struct {
	data []byte
	doc  *document // nil before the first change
}

// packs returns the table of packs, nil if there is none.
func (t *text) packs() (_ *node, err error) {
	if t.doc == nil {
		if t.doc, err = parseDocument(defaultName, t.data); err != nil {
			return nil, err
		}
	}
	packs := t.doc.root.child("packs")
	if packs != nil && !packs.isTable() {
		return nil, errors.New("packs is not a table")
	}
	return packs, nil
}

// change edits the entries of packs, whose edits do not touch each other. An error is
// about the pack that is named beside it.
func (t *text) change(names []string, p plan) (name string, err error) {
	if len(names) == 0 {
		return "", nil
	}
	packs, err := t.packs()
	if err != nil {
		return names[0], err
	}
	var all []edit
	keys := make(map[string][]assignment, len(names))
	for _, name := range names {
		edits, err := []edit(nil), error(nil)
		if keys[name], edits, err = p(t.doc, packs, name); err != nil {
			return name, err
		}
		all = append(all, edits...)
	}
	edited := apply(t.data, all)
	after, err := t.doc.checkEdit(edited, keys)
	t.data, t.doc = edited, after
	return names[0], err
}

// An edit replaces the bytes at a place in a file. Neither names nor
// references nor ranges hold a byte that TOML would want escaped.
type edit struct {
	at   span
	text string
}

// apply carries out edits, in the order of their places. Those without text
// may overlap.
func apply(data []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.at.start, b.at.start) })
	out := make([]byte, 0, len(data))
	done := 0
	for _, e := range edits {
		if e.at.start > done {
			out = append(out, data[done:e.at.start]...)
		}
		out = append(out, e.text...)
		done = max(done, e.at.end)
	}
	return append(out, data[done:]...)
}

// checkEdit demands that edited differs from d in the packs of keys alone, and there
// in those keys alone: without keys a pack is to be gone. It returns edited as read.
func (d *document) checkEdit(edited []byte, keys map[string][]assignment) (*document, error) {
	after := d
	if !bytes.Equal(edited, d.data) {
		var err error
		if after, err = parseDocument(defaultName, edited); err != nil {
			return nil, fmt.Errorf("the file would become unreadable: %w", err)
		}
	}
	want, wantRest := d.content(keys)
	got, gotRest := after.content(keys)
	for name, pack := range keys {
		want.assign(name, pack)
	}
	if !reflect.DeepEqual(want, got) || !reflect.DeepEqual(wantRest, gotRest) {
		return nil, errors.New("the edit would change something else too: edit the file by hand")
	}
	return after, nil
}

// A table is what the TOML library makes of one.
type table map[string]any

// content returns what the file says of packs, and all else. Of the packs of edited it
// does not matter how they are written: they are always tables. Nor does it matter
// whether no packs have a table.
func (d *document) content(edited map[string][]assignment) (packs, rest table) {
	rest = maps.Clone(d.root.decoded.(map[string]any))
	packs = make(table)
	if before, ok := rest["packs"].(map[string]any); ok {
		maps.Copy(packs, before)
		delete(rest, "packs")
	}
	for name := range edited {
		if ref, ok := packs[name].(string); ok {
			packs[name] = map[string]any{"ref": ref}
		}
	}
	return packs, rest
}

// assign gives the pack called name those keys.
func (packs table) assign(name string, keys []assignment) {
	pack := make(map[string]any)
	if before, ok := packs[name].(map[string]any); ok {
		maps.Copy(pack, before)
	}
	for _, key := range keys {
		if delete(pack, key.key); key.value != nil {
			pack[key.key] = key.value
		}
	}
	if delete(packs, name); keys != nil {
		packs[name] = pack
	}
}

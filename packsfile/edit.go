package packsfile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
)

// errByHand refuses what the edits here do not know how to do.
var errByHand = errors.New("it is written in a form that cannot be edited: edit the file by hand")

// SetRef returns the text of a packs.toml with ref as the reference of the
// pack called name, which is added if the file has none of that name. data
// itself is left alone.
//
// It changes the lines it must and no others: comments, order, blank lines
// and line ends survive, as do the other keys of the pack. It only demands
// that data is TOML, not that it makes sense. Before it returns it reads its
// own work; whatever it cannot edit with certainty is an error.
func SetRef(data []byte, name, ref string) ([]byte, error) {
	edited, err := setRef(data, name, ref)
	if err != nil {
		return nil, fmt.Errorf("cannot set the reference of %s: %w", packKey(name), err)
	}
	return edited, nil
}

func setRef(data []byte, name, ref string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if _, err := ociref.Parse(ref); err != nil {
		return nil, errors.New(badReference(err))
	}
	keys := []assignment{{"ref", ref}}
	return change(data, name, func(d *document, packs *node) ([]assignment, []edit, error) {
		n := packs.child(name)
		if n == nil {
			return keys, d.addPack(packs, name, keys), nil
		}
		edits, err := d.replaceRef(n, ref)
		return keys, edits, err
	})
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
type plan func(d *document, packs *node) (keys []assignment, edits []edit, err error)

// change edits the entry of one pack.
func change(data []byte, name string, p plan) ([]byte, error) {
	doc, err := parseDocument(defaultName, data)
	if err != nil {
		return nil, err
	}
	packs := doc.root.child("packs")
	if packs != nil && !packs.isTable() {
		return nil, errors.New("packs is not a table")
	}
	keys, edits, err := p(doc, packs)
	if err != nil {
		return nil, err
	}
	edited := apply(data, edits)
	return edited, doc.checkEdit(edited, name, keys)
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

// checkEdit demands that edited differs from d in the one pack alone, and there
// in keys alone. Without keys the pack is to be gone.
func (d *document) checkEdit(edited []byte, name string, keys []assignment) error {
	after, err := parseDocument(defaultName, edited)
	if err != nil {
		return fmt.Errorf("the file would become unreadable: %w", err)
	}
	want, wantRest := d.content(name)
	got, gotRest := after.content(name)
	want.assign(name, keys)
	if !reflect.DeepEqual(want, got) || !reflect.DeepEqual(wantRest, gotRest) {
		return errors.New("the edit would change something else too: edit the file by hand")
	}
	return nil
}

// A table is what the TOML library makes of one.
type table map[string]any

// content returns what the file says of packs, and all else. Of the pack called
// name it does not matter how it is written: it is always a table. Nor does it
// matter whether no packs have a table.
func (d *document) content(name string) (packs, rest table) {
	rest = maps.Clone(d.root.decoded.(map[string]any))
	packs = make(table)
	if before, ok := rest["packs"].(map[string]any); ok {
		maps.Copy(packs, before)
		delete(rest, "packs")
	}
	if ref, ok := packs[name].(string); ok {
		packs[name] = map[string]any{"ref": ref}
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

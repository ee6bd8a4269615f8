package packsfile

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/greenticai/packvendor/internal/ociref"
)

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
	doc, err := parseDocument(defaultName, data)
	if err != nil {
		return nil, err
	}
	e, err := doc.planRef(name, ref)
	if err != nil {
		return nil, err
	}
	edited := e.apply(data)
	return edited, doc.checkEdit(edited, name, ref)
}

// An edit replaces the bytes at a place in a file. Neither name nor reference
// holds a byte that TOML would want escaped.
type edit struct {
	at   span
	text string
}

func (e edit) apply(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(e.text))
	out = append(out, data[:e.at.start]...)
	out = append(out, e.text...)
	return append(out, data[e.at.end:]...)
}

// planRef finds the edit that sets the reference.
func (d *document) planRef(name, ref string) (edit, error) {
	packs := d.root.child("packs")
	if packs != nil && !packs.isTable() {
		return edit{}, errors.New("packs is not a table")
	}
	if n := packs.child(name); n != nil {
		return d.replaceRef(n, ref)
	}
	return d.addPack(packs, name, ref), nil
}

// replaceRef replaces the reference of the pack n, and keeps its kind of
// quotation marks.
func (d *document) replaceRef(n *node, ref string) (edit, error) {
	if n.isTable() {
		n = n.child("ref")
	}
	if n == nil {
		return edit{}, errors.New("the pack has no ref to replace")
	}
	old, ok := n.decoded.(string)
	switch {
	case !ok:
		return edit{}, errors.New("what stands in its place is not a string")
	case old == ref:
		return edit{}, nil // however it is written
	}
	mark := string(d.data[n.value.start])
	return edit{n.value, mark + ref + mark}, nil
}

// checkEdit demands that edited differs from d in the one reference alone.
func (d *document) checkEdit(edited []byte, name, ref string) error {
	after, err := parseDocument(defaultName, edited)
	if err != nil {
		return fmt.Errorf("the file would become unreadable: %w", err)
	}
	want, _ := d.root.decoded.(map[string]any)
	packs, _ := want["packs"].(map[string]any)
	if packs == nil {
		packs = make(map[string]any)
	}
	pack, isTable := packs[name].(map[string]any)
	switch {
	case isTable:
		pack["ref"] = ref
	case after.root.child("packs").child(name).isTable(): // added in a table of its own
		packs[name] = map[string]any{"ref": ref}
	default:
		packs[name] = ref
	}
	want["packs"] = packs
	if !reflect.DeepEqual(want, after.root.decoded) {
		return errors.New("the edit would change something else too: edit the file by hand")
	}
	return nil
}

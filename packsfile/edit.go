package packsfile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/names"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/versions"
)

// errByHand refuses an edit that this package cannot do.
var errByHand = errors.New("it is written in a form that cannot be edited: edit the file by hand")

// SetRefs returns the text of a packs.toml in which the packs of refs, by their names,
// have those references. It adds packs that the file lacks. It leaves data alone.
//
// It changes the lines it must and no others: comments, order, blank lines and line
// ends survive, as do the other keys of the pack. data must be TOML, but need not make
// sense. Before SetRefs returns it reads its own work; an edit that is not certain is
// an error. It edits the packs that exist together: it reads the file twice, however
// many they are.
func SetRefs(data []byte, refs map[string]string) ([]byte, error) {
	t := &text{data: data, path: packsPath}
	packs, err := t.table()
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
	for _, name := range unknown { // each goes after the last one
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
			return keys, d.addEntry(packsPath, name, keys), nil
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

// replace gives n another value, in the old one's kind of quotation marks. An equal
// value stays as it is written.
func (d *document) replace(n *node, value any) ([]edit, error) {
	switch {
	case n.form != leaf && n.form != inline:
		return nil, errByHand
	case reflect.DeepEqual(n.decoded, value):
		return nil, nil
	}
	return []edit{{n.value, style{equals, d.markAt(n.value.start), d.lineEnd(n.value)}.value(value)}}, nil
}

// An Entry says where a pack comes from, for packs.toml.
type Entry struct {
	Ref       string // the reference; may be empty if there is a Path
	Path      string // of the file that the pack is
	Version   string // a range of versions to choose from; Ref then has neither tag nor digest
	AllowTags bool   // whether the pack may be a tag alone
}

// SetAll returns the text of a packs.toml in which the packs of entries, by their
// names, match those. It leaves data alone.
//
// It adds a missing pack in the form that the others have, as name = "REF" if that says
// everything. In an existing pack it sets ref, path, version and allow_tags, and keeps its
// other keys, its form and its comments. It removes keys that the Entry does not need, with the
// comments beside them: layer too, if there is no Ref. A string becomes an inline table if it
// must, but no table becomes a string. SetAll does not write allow_tags if the file has it for
// all packs.
//
// It keeps the promises of SetRefs, pack by pack.
func SetAll(data []byte, entries map[string]Entry) ([]byte, error) {
	t := &text{data: data, path: packsPath}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := t.set(name, entries[name]); err != nil {
			return nil, fmt.Errorf("cannot set %s: %w", packKey(name), err)
		}
	}
	return t.data, nil
}

func (t *text) set(name string, e Entry) error {
	if err := e.check(name); err != nil {
		return err
	}
	_, err := t.change([]string{name}, func(d *document, packs *node, name string) ([]assignment, []edit, error) {
		keys := present(d.keysOf(packs.child(name), e))
		edits, err := d.setKeys(packs, name, keys)
		if n := packs.child(name); n != nil && !n.isTable() && e.Ref == "" {
			keys = append(keys, assignment{"ref", nil}) // the string is gone
		}
		return keys, edits, err
	})
	if err != nil {
		return err
	}
	// Only now: the new keys may stand beside the removed ones.
	_, err = t.change([]string{name}, func(d *document, packs *node, name string) ([]assignment, []edit, error) {
		keys := d.keysOf(packs.child(name), e)
		return keys, d.takeOut(leftover(packs.child(name), keys)), nil
	})
	return err
}

// keysOf returns the keys that e sets, in the pack n if there is one.
func (d *document) keysOf(n *node, e Entry) []assignment {
	keys := []assignment{{"ref", orNil(e.Ref)}, {"path", orNil(e.Path)}, {"version", orNil(e.Version)}, {"allow_tags", nil}}
	if e.AllowTags && (n.child("allow_tags").isTrue() || !d.root.child("allow_tags").isTrue()) {
		keys[3].value = true
	}
	if e.Ref == "" {
		keys = append(keys, assignment{"layer", nil}) // it was about the ref
	}
	return keys
}

// orNil returns the value of a key that must not exist if the text is empty.
func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (n *node) isTrue() bool { return n != nil && n.decoded == true }

// leftover returns the nodes of the pack n whose keys have no value.
func leftover(n *node, keys []assignment) []*node {
	var nodes []*node
	for _, key := range keys {
		if child := n.child(key.key); child != nil && key.value == nil {
			nodes = append(nodes, child)
		}
	}
	return nodes
}

// setKeys finds the edits that give the pack called name those keys.
func (d *document) setKeys(packs *node, name string, keys []assignment) ([]edit, error) {
	n := packs.child(name)
	switch {
	case n == nil:
		return d.addEntry(packsPath, name, keys), nil
	case n.isTable():
		return d.setKeysIn(n, keys)
	case isRef(keys):
		return d.replace(n, keys[0].value)
	}
	return d.replace(n, keys)
}

// isRef tells whether the keys of a pack are a reference alone: then it is a string.
func isRef(keys []assignment) bool { return len(keys) == 1 && keys[0].key == "ref" }

// setKeysIn finds the edits that give the pack's table n those keys.
func (d *document) setKeysIn(n *node, keys []assignment) ([]edit, error) {
	var edits []edit
	var missing []assignment
	for _, key := range keys {
		child := n.child(key.key)
		if child == nil {
			missing = append(missing, key)
			continue
		}
		replaced, err := d.replace(child, key.value)
		if err != nil {
			return nil, err
		}
		edits = append(edits, replaced...)
	}
	added, err := d.addKeys(n, missing)
	return append(edits, added...), err
}

// check reports why Parse would refuse e as the pack called name.
func (e Entry) check(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if e.Path != "" {
		if err := names.CheckLocalFile(e.Path); err != nil {
			return fmt.Errorf("path %s %w", printable.Quote(e.Path, maxQuoted), err)
		}
		if e == (Entry{Path: e.Path}) {
			return nil
		}
	}
	ref, err := ociref.Parse(e.Ref)
	switch {
	case err != nil:
		return errors.New(badReference(err))
	case e.Version == "":
		return nil
	case ref.Tag != "" || ref.Digest != "":
		return errors.New("version excludes a tag or digest in ref")
	}
	if _, err := versions.ParseRange(e.Version); err != nil {
		return fmt.Errorf("version %s %w", printable.Quote(e.Version, maxQuoted), err)
	}
	return nil
}

// A plan finds the edits that give an entry of a table, such as a pack, its keys, or remove
// it if there are none. table is nil if the file has no such table.
type plan func(d *document, table *node, name string) (keys []assignment, edits []edit, err error)

// packsPath leads to the table of packs.
var packsPath = []string{"packs"}

// A text is a packs.toml during edits, as the last one left it.
type text struct {
	data []byte
	path []string  // of the table whose entries are edited
	doc  *document // nil before the first change
}

// table returns the table whose entries are edited, nil if there is none.
func (t *text) table() (_ *node, err error) {
	if t.doc == nil {
		if t.doc, err = parseDocument(defaultName, t.data); err != nil {
			return nil, err
		}
	}
	n := t.doc.root
	for i, key := range t.path {
		if n = n.child(key); n != nil && !n.isTable() {
			return nil, fmt.Errorf("%s is not a table", strings.Join(t.path[:i+1], "."))
		}
	}
	return n, nil
}

// change edits the entries called names, whose edits do not overlap. name is the entry that
// an error concerns.
func (t *text) change(names []string, p plan) (name string, err error) {
	if len(names) == 0 {
		return "", nil
	}
	packs, err := t.table()
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
	after, err := t.doc.checkEdit(edited, t.path, keys)
	t.data, t.doc = edited, after
	return names[0], err
}

// An edit replaces the bytes at a place in a file. Names, references, ranges, keys and
// digests hold no byte that TOML must escape.
type edit struct {
	at   span
	text string
}

// apply applies edits in the order of their places. Those without text may overlap.
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

package packsfile

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/versions"
)

// An Entry is what packs.toml is to say of where a pack comes from.
type Entry struct {
	Ref       string // the reference
	Version   string // a range of versions to choose from; Ref then has neither tag nor digest
	AllowTags bool   // whether the pack may be a tag alone
}

// SetAll returns the text of a packs.toml in which the packs of entries, by their
// names, are what those say. data itself is left alone.
//
// A pack that is not there yet is added in the form that the others have, as
// name = "REF" where that says it all. Of one that is there, ref, version and
// allow_tags become what its Entry says, while its other keys, its form and its
// comments stay: keys that the Entry does not need go, with the comments beside them.
// A string becomes an inline table where it must, but no table a string.
// allow_tags is not written where the file has it for all packs.
//
// It keeps the promises of SetRefs, pack by pack.
func SetAll(data []byte, entries map[string]Entry) ([]byte, error) {
	t := &text{data: data}
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
		return keys, edits, err
	})
	if err != nil {
		return err
	}
	// Only now: the new keys may have been put beside those that go.
	_, err = t.change([]string{name}, func(d *document, packs *node, name string) ([]assignment, []edit, error) {
		keys := d.keysOf(packs.child(name), e)
		return keys, d.takeOut(leftover(packs.child(name), keys)), nil
	})
	return err
}

// keysOf returns the keys that e is about, of the pack n if there is one.
func (d *document) keysOf(n *node, e Entry) []assignment {
	keys := []assignment{{"ref", e.Ref}, {"version", nil}, {"allow_tags", nil}}
	if e.Version != "" {
		keys[1].value = e.Version
	}
	if e.AllowTags && (n.child("allow_tags").isTrue() || !d.root.child("allow_tags").isTrue()) {
		keys[2].value = true
	}
	return keys
}

func (n *node) isTrue() bool { return n != nil && n.decoded == true }

// leftover returns what the pack n has of keys without a value.
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
		return d.addPack(packs, name, keys), nil
	case n.isTable():
		return d.setKeysIn(n, keys)
	case len(keys) > 1:
		return d.replace(n, keys)
	}
	return d.replace(n, keys[0].value)
}

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

// check reports what Parse would not like about a pack of that name that is e.
func (e Entry) check(name string) error {
	if err := checkName(name); err != nil {
		return err
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

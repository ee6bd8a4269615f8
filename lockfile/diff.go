package lockfile

import (
	"slices"
	"strings"
)

// An EntryChangeKind is the kind of an EntryChange.
type EntryChangeKind string

const (
	Added   EntryChangeKind = "added"
	Removed EntryChangeKind = "removed"
	Changed EntryChangeKind = "changed"
)

// An EntryChange is a difference between two locks in one pack.
type EntryChange struct {
	Name   string
	Kind   EntryChangeKind
	Old    Entry    // zero if Added
	New    Entry    // zero if Removed
	Fields []string // if Changed: the keys that differ, in the order of the file
}

// Diff returns the changes from old to new, by name; none if they lock the same. A nil
// *Lock counts as an empty one.
func Diff(old, new *Lock) []EntryChange {
	var changes []EntryChange
	before, after := byName(old), byName(new)
	for name, p := range before {
		q, ok := after[name]
		switch {
		case !ok:
			changes = append(changes, EntryChange{Name: name, Kind: Removed, Old: p})
		case p != q:
			changes = append(changes, EntryChange{Name: name, Kind: Changed, Old: p, New: q, Fields: differing(p, q)})
		}
	}
	for name, q := range after {
		if _, ok := before[name]; !ok {
			changes = append(changes, EntryChange{Name: name, Kind: Added, New: q})
		}
	}
	slices.SortFunc(changes, func(a, b EntryChange) int { return strings.Compare(a.Name, b.Name) })
	return changes
}

func byName(l *Lock) map[string]Entry {
	packs := map[string]Entry{}
	if l != nil {
		for _, p := range l.Entries {
			packs[p.Name] = p
		}
	}
	return packs
}

func differing(p, q Entry) []string {
	var differ []string
	for _, f := range fields {
		if f.get(&p) != f.get(&q) {
			differ = append(differ, f.key)
		}
	}
	return differ
}

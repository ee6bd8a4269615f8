package lockfile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Merged is the result of a three-way merge.
type Merged struct {
	Entries   []Entry    // where at most one side changed the pack, or both alike; by name
	Conflicts []Conflict // by name
}

// A Conflict is a pack that both sides changed, each in its own way.
type Conflict struct {
	Name         string
	Ours, Theirs Entry // the zero value if that side does not have the pack
}

// Merge merges what ours and theirs changed since base. An empty base means that the file is new.
// Two bases come from an unresolved merge; a pack counts as unchanged only if it equals both.
func Merge(base []*Lock, ours, theirs *Lock) *Merged {
	m := &Merged{}
	our, their := byName(ours), byName(theirs)
	for _, name := range namesOf(our, their) {
		o, t := our[name], their[name]
		switch {
		case o == t || isIn(base, name, t):
			m.add(o)
		case isIn(base, name, o):
			m.add(t)
		default:
			m.Conflicts = append(m.Conflicts, Conflict{Name: name, Ours: o, Theirs: t})
		}
	}
	return m
}

// add adds an entry; the zero value is a pack that was removed.
func (m *Merged) add(p Entry) {
	if p != (Entry{}) {
		m.Entries = append(m.Entries, p)
	}
}

// isIn reports whether all locks have the pack as p; the zero value is a missing pack.
func isIn(locks []*Lock, name string, p Entry) bool {
	for _, l := range locks {
		if had, _ := l.Entry(name); had != p {
			return false
		}
	}
	return len(locks) > 0 || p == (Entry{})
}

// namesOf returns the names of all packs, sorted.
func namesOf(ours, theirs map[string]Entry) []string {
	all := maps.Clone(ours)
	maps.Copy(all, theirs)
	return slices.Sorted(maps.Keys(all))
}

// Format returns the text of a packs.lock in which each conflict stands as git writes it: the
// blocks of both sides between markers. Without conflicts it is Format of the entries.
func (m *Merged) Format() []byte {
	blocks := map[string]func(*bytes.Buffer){}
	for _, p := range m.Entries {
		blocks[p.Name] = func(b *bytes.Buffer) { writeBlock(b, p) }
	}
	for _, c := range m.Conflicts {
		blocks[c.Name] = func(b *bytes.Buffer) { writeConflict(b, c) }
	}
	var b bytes.Buffer
	writeHead(&b)
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		b.WriteByte('\n')
		blocks[name](&b)
	}
	return b.Bytes()
}

// Git's markers of a conflict, each the beginning of a line.
const (
	oursMarker   = "<<<<<<<"
	baseMarker   = "|||||||" // of the styles diff3 and zdiff3
	middleMarker = "======="
	theirsMarker = ">>>>>>>"
)

// The lines by which Parse knows a conflict of Format. Git has other words there, such as HEAD.
const (
	oursLine   = oursMarker + " ours"
	theirsLine = theirsMarker + " theirs"
)

func writeConflict(b *bytes.Buffer, c Conflict) {
	fmt.Fprintf(b, "%s\n", oursLine)
	if c.Ours != (Entry{}) {
		writeBlock(b, c.Ours)
	}
	fmt.Fprintf(b, "%s\n", middleMarker)
	if c.Theirs != (Entry{}) {
		writeBlock(b, c.Theirs)
	}
	fmt.Fprintf(b, "%s\n", theirsLine)
}

// ParseBase reads the base of a merge: no lock of an empty file, which git gives where the base
// has no file, two of an unresolved merge, such as the virtual base of several merge bases is.
// https://git-scm.com/docs/git-merge#Documentation/git-merge.txt-recursive
func ParseBase(filename string, data []byte) ([]*Lock, error) {
	if len(data) == 0 {
		return nil, nil
	}
	l, err := Parse(filename, data)
	if err == nil {
		return []*Lock{l}, nil
	}
	var locks []*Lock
	for _, side := range []string{oursMarker, theirsMarker} {
		l, sideErr := Parse(filename, sideOf(data, side))
		if sideErr != nil {
			return nil, err
		}
		locks = append(locks, l)
	}
	return locks, nil
}

// sideOf returns the text of one side of an unresolved merge.
func sideOf(data []byte, side string) []byte {
	var text bytes.Buffer
	part := "" // the marker that the lines belong to; "" outside of conflicts
	for line := range bytes.Lines(data) {
		marker := markerOf(strings.TrimRight(string(line), "\r\n"))
		switch {
		case marker == theirsMarker:
			part = ""
		case marker == middleMarker:
			part = theirsMarker
		case marker != "":
			part = marker
		case part == "" || part == side:
			text.Write(line)
		}
	}
	return text.Bytes()
}

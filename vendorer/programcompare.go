package vendorer

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A LinkFault says what is wrong with a pack of a program.
type LinkFault string

const (
	NotLinked      LinkFault = "not-linked"      // the program does not have a locked pack
	NotLocked      LinkFault = "not-locked"      // no given packs.lock has a pack of the program
	BytesMissing   LinkFault = "bytes-missing"   // the bytes that the marker names are not there
	BytesNotFound  LinkFault = "bytes-not-found" // they were not looked for to the end
	BytesDiffer    LinkFault = "bytes-differ"    // other bytes are in their place
	LockedDiffer   LinkFault = "locked-differ"   // the marker names other bytes than packs.lock
	ReferenceOther LinkFault = "other-reference" // the same bytes, by another reference or manifest
)

// A LinkError reports a pack of a program that is not as it should be.
type LinkError struct {
	Program string
	Package string // the import path of the pack's Go package; "" if it is unknown
	Name    string
	Fault   LinkFault
	Lock    string // the packs.lock that has the pack; "" if none has
	// Difference is what the program has and what is locked, a line each; "" if the fault says
	// it all.
	Difference string
	// Architectures are those that do not have the pack, if some of a universal file have it.
	Architectures []string
}

func (e *LinkError) Error() string {
	text := e.Program + ": " + e.Name
	if e.Lock == "" && e.Package != "" {
		text += " of " + e.Package
	}
	switch e.Fault {
	case NotLinked:
		text += " of " + e.Lock + " is not linked"
		if e.Architectures != nil {
			text += " for " + strings.Join(e.Architectures, ", ")
		}
	case NotLocked:
		text += " is in no packs.lock that was given"
	case BytesMissing:
		text += ": the program has the marker, but not the bytes"
	case BytesNotFound:
		text += ": the bytes were not found, and too many places look like them"
	case BytesDiffer:
		text += ": the program has other bytes than its marker says"
	case LockedDiffer:
		text += ": the program has other bytes than " + e.Lock
	case ReferenceOther:
		text += ": the program has the pack of another reference than " + e.Lock
	}
	if e.Difference != "" {
		text += "\n" + e.Difference
	}
	return text
}

// IsAboutBytes tells whether the program has wrong bytes.
func (e *LinkError) IsAboutBytes() bool { return e.Fault == BytesDiffer || e.Fault == LockedDiffer }

// comparePrograms compares the packs of a program with locks.
func comparePrograms(program string, packs []LinkedPack, locks []programLock) []ProgramPack {
	var rows []ProgramPack
	taken := map[int]bool{}
	for _, lock := range locks {
		for _, entry := range lock.Entries {
			row := ProgramPack{Package: lock.importPath, Name: entry.Name, Lock: lock.file, Locked: entry}
			matches := lock.matches(packs, entry)
			for _, i := range matches {
				taken[i] = true
				row.Package, row.Linked = packs[i].Package, &packs[i]
				row.Err = row.fault(program)
				rows = append(rows, row)
			}
			if matches == nil {
				rows = append(rows, row)
			}
		}
	}
	for i, pack := range packs {
		if !taken[i] {
			row := ProgramPack{Package: pack.Package, Name: pack.Name, Linked: &packs[i]}
			row.Err = row.fault(program)
			rows = append(rows, row)
		}
	}
	return rows
}

// matches returns the indices of the packs that an entry may describe.
func (l programLock) matches(packs []LinkedPack, entry lockfile.Entry) []int {
	var named, same []int
	for i, pack := range packs {
		if pack.Name != entry.Name || l.importPath != "" && pack.Package != l.importPath {
			continue
		}
		named = append(named, i)
		if pack.LayerDigest == entry.LayerDigest {
			same = append(same, i)
		}
	}
	if l.importPath == "" && same != nil { // the others are of other packages
		return same
	}
	return named
}

// fault returns the *LinkError about a linked pack, nil if it is right.
func (p ProgramPack) fault(program string) error {
	e := &LinkError{Program: program, Package: p.Package, Name: p.Name, Lock: p.Lock}
	m := p.Linked.Marker
	got := verified.Content{Digest: m.LayerDigest, Size: m.Size}
	want := project.ContentOf(p.Locked)
	switch {
	case p.Linked.State == BytesOther:
		e.Fault = BytesDiffer
	case p.Linked.State == BytesAbsent:
		e.Fault = BytesMissing
	case p.Linked.State == BytesUnknown:
		e.Fault = BytesNotFound
	case p.Lock == "":
		return nil
	case got != want:
		e.Fault, e.Difference = LockedDiffer, verified.Difference(got, want)
	case m.Ref != markerRef(p.Locked):
		e.Fault, e.Difference = ReferenceOther, fmt.Sprintf("\tgot:  %s\n\twant: %s", m.Ref, markerRef(p.Locked))
	case m.ManifestDigest != p.Locked.ManifestDigest:
		e.Fault, e.Difference = ReferenceOther, fmt.Sprintf("\tgot:  manifest %s\n\twant: manifest %s",
			cmp.Or(m.ManifestDigest, "none"), cmp.Or(p.Locked.ManifestDigest, "none"))
	default:
		return nil
	}
	return e
}

// markerRef returns the reference of a locked pack as a marker has it.
func markerRef(entry lockfile.Entry) string {
	if entry.Path != "" {
		return marker.FileRef(entry.Path)
	}
	return entry.Ref
}

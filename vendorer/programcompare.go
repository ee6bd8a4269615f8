package vendorer

import (
	"cmp"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// matchLocks compares the packs of a program with locks. The result has those of each lock, and
// then those that no lock has.
func matchLocks(program string, packs []LinkedPack, locks []namedLock) []ProgramPack {
	var rows []ProgramPack
	isLocked := map[int]bool{}
	owned := newOwnedPackages(locks)
	for _, lock := range locks {
		for _, entry := range lock.Entries {
			row := ProgramPack{Package: lock.importPath, Name: entry.Name, Lock: lock.file, Locked: entry}
			matches := owned.matches(lock, entry, packs)
			for _, i := range matches {
				isLocked[i] = true
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
		if !isLocked[i] {
			row := ProgramPack{Package: pack.Package, Name: pack.Name, Linked: &packs[i]}
			row.Err = row.fault(program)
			if row.Err == nil && owned.has(pack.Package) {
				row.Err = &LinkError{Program: program, Package: pack.Package, Name: pack.Name, Fault: FaultNotLocked}
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// ownedPackages are the Go packages whose packs the locks are about: each pack of them has to be
// in a lock.
type ownedPackages struct {
	known   map[string]bool // the import paths of locks
	matched map[string]bool // packages with a pack that a lock without an import path has
	all     bool            // a lock may be of any package
}

func newOwnedPackages(locks []namedLock) *ownedPackages {
	owned := &ownedPackages{known: map[string]bool{}, matched: map[string]bool{}}
	for _, lock := range locks {
		if lock.importPath != "" {
			owned.known[lock.importPath] = true
		} else if len(lock.Entries) == 0 { // so no pack tells the package
			owned.all = true
		}
	}
	return owned
}

func (o *ownedPackages) has(importPath string) bool {
	return o.all || o.known[importPath] || o.matched[importPath]
}

// matches returns the indices of the packs that an entry of a lock is about. Without an import
// path these are all of its name. If the package is that of another lock, the bytes decide.
func (o *ownedPackages) matches(lock namedLock, entry lockfile.Entry, packs []LinkedPack) []int {
	var found []int
	for i, pack := range packs {
		isAbout := pack.Package == lock.importPath
		if lock.importPath == "" {
			isAbout = !o.known[pack.Package] || pack.LayerDigest == entry.LayerDigest
		}
		if pack.Name == entry.Name && isAbout {
			found = append(found, i)
			o.matched[pack.Package] = true
		}
	}
	return found
}

// fault returns the *LinkError about a linked pack, nil if it is right.
func (p ProgramPack) fault(program string) error {
	e := &LinkError{Program: program, Package: p.Package, Name: p.Name, Lock: p.Lock}
	if p.Linked.State != BytesPresent {
		e.Fault = bytesFaults[p.Linked.State]
		return e
	}
	if e.Fault, e.Difference = p.differs(); e.Fault != "" {
		return e
	}
	return nil
}

// Differs returns what the marker of a pack says otherwise than packs.lock, whatever its bytes:
// FaultOtherContent, FaultOtherReference or "".
func (p ProgramPack) Differs() LinkFault {
	fault, _ := p.differs()
	return fault
}

func (p ProgramPack) differs() (fault LinkFault, lines string) {
	if p.Lock == "" || p.Linked == nil {
		return "", ""
	}
	m := p.Linked.Marker
	got, want := verified.Content{Digest: m.LayerDigest, Size: m.Size}, project.ContentOf(p.Locked)
	switch {
	case got != want:
		return FaultOtherContent, verified.Difference(got, want)
	case m.Ref != markerRef(p.Locked):
		return FaultOtherReference, difference(m.Ref, markerRef(p.Locked))
	case m.ManifestDigest != p.Locked.ManifestDigest:
		return FaultOtherReference, difference(
			"manifest "+cmp.Or(string(m.ManifestDigest), "none"), "manifest "+cmp.Or(string(p.Locked.ManifestDigest), "none"))
	}
	return "", ""
}

// bytesFaults are the faults of bytes that are not present.
var bytesFaults = map[BytesState]LinkFault{
	BytesAbsent: FaultBytesAbsent, BytesUnknown: FaultBytesUnknown, BytesOther: FaultBytesOther,
}

// markerRef returns the reference of a locked pack as a marker has it.
func markerRef(entry lockfile.Entry) string {
	if entry.Path != "" {
		return marker.FileRef(entry.Path)
	}
	return entry.Ref
}

// Package lockfile owns packs.lock: it parses, formats and compares it, and finds
// entries that contradict themselves.
package lockfile

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Version is the format this package reads and writes.
const Version = 1

type (
	// A Digest is sha256: and 64 hexadecimal digits.
	Digest = ociref.Digest
	// A Reference names a manifest in a registry, by tag or digest.
	Reference = ociref.Reference
)

// A Lock is the content of one packs.lock.
//
// A Lock is not safe for concurrent use while somebody writes to it.
type Lock struct {
	Entries []Entry // sorted by name, each name once

	lines map[string]int // name → line of its [[pack]] header
}

// An Entry is one [[pack]] block. Entries can be compared with ==: the position in the file
// is not part of them.
type Entry struct {
	Name    string // key of packs.toml
	Ref     string // as in packs.toml; "" if a file alone is the pack
	Version string // as in packs.toml; "" if there is none
	Layer   string // as in packs.toml, a media type or digest; "" if there is none
	Path    string // as in packs.toml: the pack is that file; "" if it is from a registry
	Tag     string // the tag that ref or version led to; "" if ref has a digest

	IndexDigest    ociref.Digest // of the image index ref led to; "" if there was none
	ManifestDigest ociref.Digest // of the bytes of the manifest that holds the layer; "" of a file
	LayerDigest    ociref.Digest // of the pack's own bytes

	Size      int64  // of the pack's own bytes, in bytes
	MediaType string // "" of a file

	Signer   string        // who signed; "" if no signature is locked, as Evidence
	Evidence ociref.Digest // of the file NAME.evidence
}

// Digest returns the digest that the reference leads to: the index's, if there is one,
// else the manifest's; "" if the pack is a file.
func (p Entry) Digest() ociref.Digest {
	if p.IndexDigest != "" {
		return p.IndexDigest
	}
	return p.ManifestDigest
}

// Reference returns Ref, parsed; the zero value if it is none, which no file has.
func (p Entry) Reference() Reference {
	ref, _ := ociref.Parse(p.Ref)
	return ref
}

// AnyTag returns the tag of the reference, or else the followed tag; "" if there is none, or
// if the pack is a file.
func (p Entry) AnyTag() string {
	if p.Path != "" {
		return ""
	}
	return cmp.Or(p.Reference().Tag, p.Tag)
}

// Entry returns the entry with that name, and whether there is one.
func (l *Lock) Entry(name string) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(l.Entries, name, func(p Entry, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return Entry{}, false
	}
	return l.Entries[i], true
}

// Size returns the size of all packs together, in bytes.
func (l *Lock) Size() int64 {
	var total uint64
	for _, p := range l.Entries {
		total = min(total+uint64(p.Size), math.MaxInt64)
	}
	return int64(total)
}

// Line returns the 1-based line of the pack's [[pack]] header in the parsed file, or 0
// if it has no such pack.
func (l *Lock) Line(name string) int { return l.lines[name] }

// sorted returns the entries by name and leaves the argument as it is.
func sorted(packs []Entry) []Entry {
	return slices.SortedStableFunc(slices.Values(packs), func(a, b Entry) int {
		return strings.Compare(a.Name, b.Name)
	})
}

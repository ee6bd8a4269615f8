// Package gtpack reads the description that a pack holds of itself, and compares two
// packs file by file.
//
// A pack is a zip archive of flows, components and assets. Three forms exist: pack-v1,
// whose manifest.cbor keeps its identifiers in tables of symbols; the legacy form
// before it, whose manifest.cbor has them under meta; and the packs of
// greentic-designer, which have a manifest.json and no bill of materials. They are
// defined in https://github.com/greenticai/greentic-pack and
// https://github.com/greenticai/greentic-types.
//
// Archives come from strangers. This package unpacks nothing to disk, holds no archive
// in memory, and bounds everything that it reads by the constants below. It proves
// nothing: it reports that a signature exists without verifying it, and a bill of
// materials that does not match is a finding, not an error. It returns strings as they
// stand in the archive, so whoever prints them must escape them; its errors have done
// so.
package gtpack

import (
	"cmp"
	"context"
	"io"
	"slices"
)

// Forms of packs.
const (
	FormatV1       = "pack-v1"
	FormatLegacy   = "legacy"
	FormatDesigner = "dw-application"
)

// Bounds on reading one archive. Real packs have some dozens of files and manifests of
// some kilobytes.
const (
	MaxFiles     = 100_000  // entries, directories included
	MaxDirectory = 16 << 20 // bytes of the list of them
	MaxDocument  = 16 << 20 // unpacked bytes of a manifest or a bill of materials
	MaxUnpacked  = 4 << 30  // unpacked bytes of all files
	MaxElements  = 100_000  // of one array or map in a manifest
	MaxDepth     = 256      // of arrays and maps in a manifest; the builder reads no deeper ones
)

// A Source is the bytes of a pack. *bytes.Reader, *strings.Reader and
// *io.SectionReader are Sources.
type Source interface {
	io.ReaderAt
	Size() int64 // bytes
}

// A Pack is a pack's description of itself. Strings are empty where it has none.
type Pack struct {
	// Format is one of the constants above, or the name of a newer schema that reads
	// like pack-v1.
	Format    string
	ID        string
	Version   string
	Name      string
	Kind      string // such as application or provider
	Publisher string // in the legacy form the vendor, else the authors

	Components   []Component  // by ID and version
	Flows        []string     // identifiers, in order
	Dependencies []Dependency // by ID

	// Signatures are the files that hold signatures, in order. This package does not
	// verify them.
	Signatures []string

	SBOM     SBOM
	Files    int   // in the archive, directories aside
	Unpacked int64 // bytes of all files, unpacked
}

// A Component is named by the manifest or by the pack's own lock. Where they disagree,
// the manifest wins.
type Component struct {
	ID      string
	Version string
	Path    string // of its file in the archive; empty if there is none
	Size    int64  // bytes of that file, unpacked
}

// A Dependency is another pack that a pack needs.
type Dependency struct {
	ID      string
	Version string // a range
}

// Read reads the description of the pack in src. It reads all files once, to compare
// them with the bill of materials.
//
// Errors: *NotPackError, *MalformedError, and those of src and ctx.
func Read(ctx context.Context, src Source) (*Pack, error) {
	return read(ctx, src, defaults)
}

func read(ctx context.Context, src Source, bounds bounds) (*Pack, error) {
	a, err := open(ctx, src, bounds)
	if err != nil {
		return nil, err
	}
	p, err := a.manifest()
	if err != nil {
		return nil, err
	}
	list, err := a.listing()
	if err != nil {
		return nil, err
	}
	contents, err := a.contents(list)
	if err != nil {
		return nil, err
	}
	p.SBOM = list.compare(contents)
	p.Signatures = append(p.Signatures, a.signatures()...)
	p.measure(contents)
	p.sort()
	return p, nil
}

func (p *Pack) measure(contents map[string]content) {
	for i, c := range p.Components {
		if c.Path != "" {
			p.Components[i].Size = contents[c.Path].size
		}
	}
	p.Files = len(contents)
	for _, c := range contents {
		p.Unpacked += c.size
	}
}

func (p *Pack) sort() {
	slices.SortFunc(p.Components, func(a, b Component) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Path, b.Path))
	})
	slices.Sort(p.Flows)
	slices.SortFunc(p.Dependencies, func(a, b Dependency) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
	})
	slices.Sort(p.Signatures)
}

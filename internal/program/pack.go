package program

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/marker"
)

// A Pack is one that a program names by a marker.
type Pack struct {
	marker.Marker
	State State
	// Architectures are those of a universal Mach-O file whose images have the marker; nil for
	// other files. State is then the worst of these.
	Architectures []string
	// Bytes are those of a Present pack, as long as the file is open; nil for others.
	Bytes *io.SectionReader
}

// A State is the state of the bytes that a marker names. Worse ones are greater.
type State int

const (
	// Present bytes are in the file, as the marker says.
	Present State = iota
	// Absent bytes are not in the file.
	Absent
	// Unknown bytes were not looked for to the end: the file has too many places where they
	// could be.
	Unknown
	// Other bytes are in their place.
	Other
)

func (s State) String() string {
	return [...]string{"present", "absent", "unknown", "other"}[s]
}

// Packs returns the packs that the markers of the program name, by import path and name, each
// once. It looks for the bytes of each. malformed is how many different markers it cannot read:
// they have the beginning, the version and the end of a marker. Errors: *LimitError,
// *VersionError, those of the reader and the cause of ctx's end.
func (f *File) Packs(ctx context.Context) (sorted []Pack, malformed int, err error) {
	packs, reader := map[marker.Marker]*Pack{}, newMarkerReader()
	comparisons := maxComparisons
	for i, image := range f.images {
		markers, err := reader.read(ctx, image)
		if err != nil {
			return nil, 0, err
		}
		// An image that takes long leaves their share to those behind it.
		share := comparisons / (len(f.images) - i)
		budget := newBudget(image, share)
		contents, err := image.search(ctx, markers, budget)
		if err != nil {
			return nil, 0, err
		}
		comparisons -= share - max(0, budget.comparisons)
		for _, m := range markers {
			pack, ok := packs[m]
			if !ok {
				pack = &Pack{Marker: m}
				packs[m] = pack
			}
			c := contents[contentOf(m)]
			pack.State = max(pack.State, c.state)
			if pack.Bytes = nil; pack.State == Present {
				pack.Bytes = c.reader(image.bytes)
			}
			if image.arch != "" {
				pack.Architectures = append(pack.Architectures, image.arch)
			}
		}
	}
	for _, pack := range packs {
		sorted = append(sorted, *pack)
	}
	slices.SortFunc(sorted, comparePacks)
	return sorted, reader.malformed, nil
}

// comparePacks orders packs by import path, name, and the rest of their markers.
func comparePacks(a, b Pack) int {
	for _, field := range []func(Pack) string{
		func(p Pack) string { return p.Package },
		func(p Pack) string { return p.Name },
		func(p Pack) string { return marker.Format(p.Marker) },
	} {
		if order := strings.Compare(field(a), field(b)); order != 0 {
			return order
		}
	}
	return 0
}

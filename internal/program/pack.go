package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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
	// Bytes are those of a Present pack, as long as the file is open; nil if it is shorter than
	// any archive.
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

// A LimitError reports a file that has more than is read.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

// A VersionError reports a marker of another version.
type VersionError struct{ Version string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("a newer packvendor wrote its markers, of version %+q", e.Version)
}

const (
	maxMarkers     = 10_000  // that differ, in an image
	maxMarkerBytes = 8 << 20 // of all these
)

// Packs returns the packs that the markers of the program name, by import path and name, each
// once. It looks for the bytes of each. Errors: *LimitError, *VersionError, those of the reader and the
// cause of ctx's end.
func (f *File) Packs(ctx context.Context) ([]Pack, error) {
	packs := map[marker.Marker]*Pack{}
	for _, image := range f.images {
		markers, err := image.markers(ctx)
		if err != nil {
			return nil, err
		}
		contents, err := f.search(ctx, image, markers)
		if err != nil {
			return nil, err
		}
		for _, m := range markers {
			pack, ok := packs[m]
			if !ok {
				pack = &Pack{Marker: m}
				packs[m] = pack
			}
			c := contents[contentOf(m)]
			pack.State = max(pack.State, c.state)
			if pack.Bytes = nil; pack.State == Present && !c.isAllHead() {
				pack.Bytes = io.NewSectionReader(image.bytes, c.at, c.size)
			}
			if image.arch != "" {
				pack.Architectures = append(pack.Architectures, image.arch)
			}
		}
	}
	var sorted []Pack
	for _, pack := range packs {
		sorted = append(sorted, *pack)
	}
	slices.SortFunc(sorted, comparePacks)
	return sorted, nil
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

// markers returns the markers of an image, each once.
func (i image) markers(ctx context.Context) ([]marker.Marker, error) {
	found, seen, size := map[marker.Marker]bool{}, map[string]bool{}, 0
	err := marker.Scan(&stream{ctx: ctx, space: i.bytes}, func(_ int64, text string) error {
		if seen[text] {
			return nil
		}
		m, err := marker.Parse(text)
		var newer *marker.VersionError
		switch {
		case errors.As(err, &newer):
			return &VersionError{Version: newer.Version}
		case err != nil: // a program that looks for markers may hold something of the kind
			return nil
		}
		seen[text], found[m] = true, true
		if size += len(text); len(found) > maxMarkers || size > maxMarkerBytes {
			return &LimitError{Reason: fmt.Sprintf("it has more than %d markers, or more than %d bytes of them", maxMarkers, maxMarkerBytes)}
		}
		return nil
	})
	return slices.Collect(maps.Keys(found)), err
}

package program

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/greenticai/packvendor/internal/marker"
)

// A LimitError reports a file that has more than is read.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return e.Reason }

// A VersionError reports a marker of another version.
type VersionError struct{ *marker.VersionError }

func (e *VersionError) Error() string {
	return fmt.Sprintf("a newer packvendor wrote its markers, of version %+q", e.Version)
}

func (e *VersionError) Unwrap() error { return e.VersionError }

const (
	maxMarkers     = 10_000  // that differ, in a file
	maxMarkerBytes = 8 << 20 // of all these
)

// A markerReader reads the markers of the images of a file.
type markerReader struct {
	parsed    map[string]*marker.Marker // by their texts; nil if it is malformed
	size      int                       // of all texts
	malformed int
}

func newMarkerReader() *markerReader { return &markerReader{parsed: map[string]*marker.Marker{}} }

// read returns the markers of an image, each once.
func (r *markerReader) read(ctx context.Context, i image) ([]marker.Marker, error) {
	found := map[marker.Marker]bool{}
	err := marker.Scan(&stream{ctx: ctx, space: i.bytes}, func(_ int64, text string) error {
		m, err := r.parse(text)
		if m != nil {
			found[*m] = true
		}
		return err
	})
	return slices.Collect(maps.Keys(found)), err
}

// parse returns a marker, nil if it is malformed.
func (r *markerReader) parse(text string) (*marker.Marker, error) {
	if m, ok := r.parsed[text]; ok {
		return m, nil
	}
	if r.size += len(text); len(r.parsed) == maxMarkers || r.size > maxMarkerBytes {
		return nil, &LimitError{Reason: fmt.Sprintf("it has more than %d markers, or more than %d bytes of them", maxMarkers, maxMarkerBytes)}
	}
	var m *marker.Marker
	parsed, err := marker.Parse(text)
	var newer *marker.VersionError
	switch {
	case errors.As(err, &newer):
		return nil, &VersionError{newer}
	case err != nil:
		r.malformed++
	default:
		m = &parsed
	}
	r.parsed[text] = m
	return m, nil
}

package vendorer

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/once"
)

// Bounds of the components that all packs of an SBOM name together.
const (
	maxSBOMComponents = 50_000
	maxSBOMNames      = 8 << 20 // bytes of their names, versions and paths
)

// An SBOMLimitError reports packs that name too many components for one SBOM.
type SBOMLimitError struct{}

func (e *SBOMLimitError) Error() string {
	return fmt.Sprintf("the packs name more than %d components, or more than %d bytes of them", maxSBOMComponents, maxSBOMNames)
}

// A contentsReader reads which components packs have, by their own manifests. Packs with the
// same bytes are read once. Calls may be concurrent.
type contentsReader struct {
	known             once.Cache[ociref.Digest, contents]
	components, names atomic.Int64 // of all packs together
}

type contents struct {
	components []gtpack.Component
	names      int64 // bytes
	err        error // why a pack cannot be read
}

// isFull tells whether the packs name too many components.
func (r *contentsReader) isFull() bool {
	return r.components.Load() > maxSBOMComponents || r.names.Load() > maxSBOMNames
}

// read reads the components of p, which has these bytes; nothing if r is full.
func (r *contentsReader) read(ctx context.Context, p *cyclonedx.Pack, bytes gtpack.Source, events *orderedEvents) error {
	if r.isFull() {
		return nil
	}
	found, err := r.known.Do(ctx, p.LayerDigest, func(ctx context.Context) (contents, error) { return readContents(ctx, bytes) })
	if err != nil {
		return err
	}
	if found.err != nil {
		events.event(UnreadComponents{Name: p.Name, Err: found.err})
		p.Unread = true
	}
	r.components.Add(int64(len(found.components)))
	r.names.Add(found.names)
	p.Contents = found.components
	return nil
}

func readContents(ctx context.Context, bytes gtpack.Source) (contents, error) {
	pack, err := gtpack.Read(ctx, bytes)
	switch {
	case errors.As(err, new(*gtpack.NotPackError)), errors.As(err, new(*gtpack.MalformedError)):
		return contents{err: err}, nil
	case err != nil:
		return contents{}, err
	}
	found := contents{components: pack.Components}
	for _, c := range pack.Components {
		found.names += int64(len(c.ID) + len(c.Version) + len(c.Path))
	}
	return found, nil
}

package fetch

import (
	"context"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
)

// lock waits until no other process fetches the pack, and tells that once.
func (f *Fetcher) lock(ctx context.Context, manifest ociref.Digest, reference string) (*packcache.Lock, error) {
	return f.cache.Lock(ctx, manifest, func() {
		if _, told := f.waited.LoadOrStore(manifest, true); !told {
			f.events(Waiting{Reference: reference})
		}
	})
}

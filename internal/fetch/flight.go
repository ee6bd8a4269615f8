package fetch

import (
	"context"
	"sync"

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

// flights keep one Fetcher from fetching one manifest's pack twice at once, as
// the cache's locks keep processes from it.
type flights struct {
	mu sync.Mutex
	of map[ociref.Digest]chan struct{} // each holds at most one token: the right to fetch
}

// board waits until no other goroutine fetches the pack; land lets the next
// one go. The error is that of ctx.
func (f *flights) board(ctx context.Context, manifest ociref.Digest) (land func(), err error) {
	f.mu.Lock()
	if f.of == nil {
		f.of = map[ociref.Digest]chan struct{}{}
	}
	flight := f.of[manifest]
	if flight == nil {
		flight = make(chan struct{}, 1)
		f.of[manifest] = flight
	}
	f.mu.Unlock()
	select {
	case flight <- struct{}{}:
		return func() { <-flight }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

package packfetch

import (
	"sync"

	"github.com/greenticai/packvendor/internal/ociref"
)

// flights keep one Fetcher from fetching one manifest's pack twice at once, as
// the cache's locks keep processes from it.
type flights struct {
	mu sync.Mutex
	of map[ociref.Digest]*sync.Mutex
}

// board waits until no other goroutine fetches the pack. followed tells that
// one did, so that the cache may have it now; land lets the next one go.
func (f *flights) board(manifest ociref.Digest) (land func(), followed bool) {
	f.mu.Lock()
	if f.of == nil {
		f.of = map[ociref.Digest]*sync.Mutex{}
	}
	flight := f.of[manifest]
	if flight == nil {
		flight = &sync.Mutex{}
		f.of[manifest] = flight
	}
	f.mu.Unlock()
	if flight.TryLock() {
		return flight.Unlock, false
	}
	flight.Lock()
	return flight.Unlock, true
}

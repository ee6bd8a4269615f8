package fetch

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// maxBodies bounds the bytes of the packs that are copied at once. A small pack counts as
// minBody, so that there are at most 128, and a large one as maxBody, so that there may be 4.
const (
	maxBodies = 16 << 20
	minBody   = maxBodies / 128
	maxBody   = maxBodies / 4
)

// Bodies are the packs that are copied at once, from wherever they come. Network and disk are
// busy with few large packs, and with many small ones: these wait for round trips. Packs that
// wait for something else, such as for their bytes to reach the disk, do not count.
type bodies struct{ bytes *semaphore.Weighted }

func newBodies() bodies { return bodies{semaphore.NewWeighted(maxBodies)} }

// enter waits until a pack of that size may be copied; leave ends that. The error is the cause
// of ctx's end.
func (b bodies) enter(ctx context.Context, size int64) (leave func(), err error) {
	weight := min(max(size, minBody), maxBody)
	if err := b.bytes.Acquire(ctx, weight); err != nil {
		return nil, context.Cause(ctx)
	}
	return func() { b.bytes.Release(weight) }, nil
}

package packcache

import (
	"context"
	"errors"
	"time"
)

// Other programs write entries in place. An entry that may be unfinished is read again,
// every retryEvery and for up to retryFor, before it counts as corrupt.
const (
	retryFor   = 2 * time.Second
	retryEvery = 50 * time.Millisecond
)

// RetryUnfinished calls look until its error is not about an entry that another program
// may be writing, or until retryFor is over. It returns look's last error, or ctx's.
func (c *Cache) RetryUnfinished(ctx context.Context, look func() error) error {
	err := look()
	start := time.Now()
	for waited := time.Duration(0); isUnfinished(err) && waited < retryFor && time.Since(start) < retryFor; waited += retryEvery {
		if err := c.sleep(ctx, retryEvery); err != nil {
			return err
		}
		err = look()
	}
	return err
}

// isUnfinished tells whether err may pass when another program has finished writing.
func isUnfinished(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt) && (corrupt.Short || corrupt.Changed)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

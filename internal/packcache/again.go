package packcache

import (
	"context"
	"errors"
	"time"
)

// Other programs write an entry in place. Before one is called bad that may only
// be unfinished, it is looked at again, every lookEvery and for up to lookFor.
const (
	lookFor   = 2 * time.Second
	lookEvery = 50 * time.Millisecond
)

// LookAgain calls look until its error is not about an entry that another
// program may be writing, or until that has taken too long. It returns look's
// last error, or ctx's.
func (c *Cache) LookAgain(ctx context.Context, look func() error) error {
	err := look()
	start := time.Now()
	for waited := time.Duration(0); isUnfinished(err) && waited < lookFor && time.Since(start) < lookFor; waited += lookEvery {
		if err := c.sleep(ctx, lookEvery); err != nil {
			return err
		}
		err = look()
	}
	return err
}

// isUnfinished tells whether err may be gone when another program has written
// all it writes.
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

// Package once lets one goroutine work for each key while others wait: with a Mutex each
// does its own work, with a Cache the first does it for all. Waits end with their contexts.
package once

import (
	"context"
	"sync"
)

// A Mutex is a mutual exclusion lock for each key. The zero value is unlocked. It must
// not be copied after first use.
type Mutex[K comparable] struct {
	turns sync.Map // by key, a chan struct{} that holds an element while the key is locked
}

// Lock locks a key, and returns the function that unlocks it. The error is the cause of
// ctx's end.
func (m *Mutex[K]) Lock(ctx context.Context, key K) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	found, _ := m.turns.LoadOrStore(key, make(chan struct{}, 1))
	turn := found.(chan struct{})
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

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
	mu    sync.Mutex
	turns map[K]chan struct{} // each holds an element while its key is locked
}

// Lock locks a key, and returns the function that unlocks it. The error is the cause of
// ctx's end.
func (m *Mutex[K]) Lock(ctx context.Context, key K) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	turn := m.turn(key)
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (m *Mutex[K]) turn(key K) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.turns == nil {
		m.turns = map[K]chan struct{}{}
	}
	turn := m.turns[key]
	if turn == nil {
		turn = make(chan struct{}, 1)
		m.turns[key] = turn
	}
	return turn
}

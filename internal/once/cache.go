// Package once lets one goroutine work for each key while others wait: with a Mutex each
// does its own work, with a Cache the first does it for all. Waits end with their contexts.
package once

import (
	"context"
	"sync"
)

// A Cache asks for the value of each key once. The zero value is empty. It must not be
// copied after first use.
type Cache[K comparable, V any] struct {
	// Passing, if not nil, recognises temporary errors, which the Cache does not keep. It
	// keeps all others like values.
	Passing func(error) bool

	asking Mutex[K]
	known  sync.Map // by key, an answer[V]
}

type answer[V any] struct {
	value V
	err   error
}

// Do returns the value and the error of key, from ask or as kept of an earlier call. Of
// concurrent callers the first calls ask with its own context, and the others wait. If that
// context ends before ask returns, the Cache keeps nothing, and the next caller asks.
//
// If ctx ends before it is this caller's turn, the error is the cause of that.
func (c *Cache[K, V]) Do(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	unlock, err := c.asking.Lock(ctx, key)
	if err != nil {
		var none V
		return none, err
	}
	defer unlock()
	if known, ok := c.known.Load(key); ok {
		a := known.(answer[V])
		return a.value, a.err
	}
	value, err := ask(ctx)
	if ctx.Err() == nil && (err == nil || c.Passing == nil || !c.Passing(err)) {
		c.known.Store(key, answer[V]{value, err})
	}
	return value, err
}

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

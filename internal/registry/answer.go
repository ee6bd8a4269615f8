package registry

import (
	"context"
	"sync"
)

// An answer is asked for once, by the first who needs it; others wait for it,
// each no longer than its own context. A failure is an answer too, unless the
// one who asked was cancelled or asking again may help.
type answer[T any] struct {
	once  sync.Once
	turn  chan struct{} // holds one token: the right to ask
	known bool
	value T
	err   error
}

func (a *answer[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	a.once.Do(func() { a.turn = make(chan struct{}, 1) })
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
	if a.known {
		return a.value, a.err
	}
	value, err := ask(ctx)
	if ctx.Err() == nil && temporary(err) == nil {
		a.value, a.err, a.known = value, err, true
	}
	return value, err
}

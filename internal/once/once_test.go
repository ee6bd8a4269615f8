package once_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/greenticai/packvendor/internal/once"
)

func TestLockOneAtATime(t *testing.T) {
	var m once.Mutex[string]
	var group sync.WaitGroup
	inside, most := 0, 0
	for range 32 {
		group.Go(func() {
			unlock, err := m.Lock(context.Background(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			inside++
			most = max(most, inside)
			inside--
		})
	}
	group.Wait()
	if most != 1 {
		t.Errorf("%d goroutines held one key", most)
	}
}

func TestLockOtherKey(t *testing.T) {
	var m once.Mutex[string]
	first, err := m.Lock(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer first()
	second, err := m.Lock(context.Background(), "b")
	if err != nil {
		t.Fatal(err)
	}
	second()
}

func TestLockEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m once.Mutex[string]
		unlock, err := m.Lock(context.Background(), "a")
		if err != nil {
			t.Fatal(err)
		}
		cause := errors.New("cause")
		ctx, cancel := context.WithCancelCause(context.Background())
		result := make(chan error, 1)
		go func() {
			_, err := m.Lock(ctx, "a")
			result <- err
		}()
		synctest.Wait()
		cancel(cause)
		if err := <-result; err != cause {
			t.Errorf("got %v, want the cause", err)
		}
		unlock()
		if _, err := m.Lock(ctx, "a"); err != cause {
			t.Errorf("got %v of an unlocked key, want the cause", err)
		}
		if _, err := m.Lock(context.Background(), "a"); err != nil {
			t.Errorf("got %v: who gave up holds the key", err)
		}
	})
}

func TestDoAsksOnce(t *testing.T) {
	var c once.Cache[string, int]
	var asked atomic.Int32
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			got, err := c.Do(context.Background(), "a", func(context.Context) (int, error) { return int(asked.Add(1)), nil })
			if got != 1 || err != nil {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
	group.Wait()
	got, err := c.Do(context.Background(), "b", func(context.Context) (int, error) { return int(asked.Add(1)), nil })
	if got != 2 || err != nil {
		t.Errorf("got %d, %v of another key", got, err)
	}
}

func TestDoErrors(t *testing.T) {
	passing, final := errors.New("passing"), errors.New("final")
	c := once.Cache[string, int]{Passing: func(err error) bool { return errors.Is(err, passing) }}
	for i, test := range []struct {
		answer, want error
	}{
		{passing, passing},
		{passing, passing},
		{final, final},
		{nil, final},
	} {
		_, err := c.Do(context.Background(), "a", func(context.Context) (int, error) { return 0, test.answer })
		if err != test.want {
			t.Errorf("%d: got %v, want %v", i, err, test.want)
		}
	}
	var all once.Cache[string, int]
	for range 2 {
		all.Do(context.Background(), "a", func(context.Context) (int, error) { return 0, passing })
	}
	if _, err := all.Do(context.Background(), "a", func(context.Context) (int, error) { return 0, nil }); err != passing {
		t.Errorf("got %v, want the error that was kept", err)
	}
}

// The first one's end is not the others'.
func TestDoFirstIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c once.Cache[string, string]
		ctx, cancel := context.WithCancel(context.Background())
		results := make(chan error, 2)
		go func() {
			_, err := c.Do(ctx, "a", func(ctx context.Context) (string, error) {
				<-ctx.Done()
				return "half", ctx.Err()
			})
			results <- err
		}()
		synctest.Wait()
		second := make(chan string, 1)
		go func() {
			got, err := c.Do(context.Background(), "a", func(context.Context) (string, error) { return "whole", nil })
			second <- got
			results <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("the first: got %v", err)
		}
		if got, err := <-second, <-results; got != "whole" || err != nil {
			t.Errorf("the second: got %q, %v", got, err)
		}
	})
}

// What comes in spite of the end is not kept either: it may be cut short.
func TestDoEndsMeanwhile(t *testing.T) {
	var c once.Cache[string, int]
	ctx, cancel := context.WithCancel(context.Background())
	got, err := c.Do(ctx, "a", func(context.Context) (int, error) { cancel(); return 1, nil })
	if got != 1 || err != nil {
		t.Errorf("the first: got %d, %v", got, err)
	}
	got, err = c.Do(context.Background(), "a", func(context.Context) (int, error) { return 2, nil })
	if got != 2 || err != nil {
		t.Errorf("the second: got %d, %v", got, err)
	}
	if _, err := c.Do(ctx, "a", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is over: got %v", err)
	}
}

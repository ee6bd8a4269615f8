package aimd

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// acquire takes n permits, which are free.
func acquire(t *testing.T, l *Limiter, n int) []*Permit {
	t.Helper()
	var permits []*Permit
	for range n {
		p, err := l.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		permits = append(permits, p)
	}
	return permits
}

// wantLimit checks how many requests may be in flight, of which so many are.
func wantLimit(t *testing.T, l *Limiter, inFlight, want int) {
	t.Helper()
	more := acquire(t, l, want-inFlight)
	if p := tryAcquire(l); p != nil {
		t.Errorf("more than %d requests are in flight", want)
		p.Release()
	}
	for _, p := range more {
		p.Release()
	}
}

// tryAcquire returns nil where Acquire would wait.
func tryAcquire(l *Limiter) *Permit {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p, err := l.Acquire(ctx)
	if err != nil {
		return nil
	}
	return p
}

func TestWaitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(2)
		first := acquire(t, l, 2)
		var order []int
		for n := range 5 {
			go func() {
				p, err := l.Acquire(t.Context())
				if err != nil {
					t.Error(err)
				}
				order = append(order, n)
				p.Release()
			}()
			synctest.Wait()
		}
		if order != nil {
			t.Errorf("%v went although two were in flight", order)
		}
		first[0].Release()
		first[0].Release() // once
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
			t.Errorf("order %v", order)
		}
		wantLimit(t, l, 1, 2)
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(1)
		held := acquire(t, l, 1)[0]
		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		var got error
		go func() { _, got = l.Acquire(ctx) }()
		synctest.Wait()
		var next *Permit
		go func() { next, _ = l.Acquire(t.Context()) }()
		synctest.Wait()
		cancel(enough)
		synctest.Wait()
		if got != enough {
			t.Errorf("got %v", got)
		}
		held.Release()
		synctest.Wait()
		if next == nil {
			t.Fatal("the one that waited behind did not get its turn")
		}
		wantLimit(t, l, 1, 1)
	})
}

// A refusal of a request that was alone has another reason.
func TestRefusedAlone(t *testing.T) {
	l := New(64)
	before := acquire(t, l, 2)
	before[0].Release()
	before[1].Release()
	p := acquire(t, l, 1)[0]
	if p.Refused() {
		t.Error("a request that was alone may be sent again")
	}
	wantLimit(t, l, 1, 64)
}

// It was not alone if another request was in flight at any time, before or after.
func TestRefusedBeside(t *testing.T) {
	for name, other := range map[string]func(*Limiter) (refused *Permit){
		"an earlier one": func(l *Limiter) *Permit {
			earlier, p := acquire(t, l, 1)[0], acquire(t, l, 1)[0]
			earlier.Release()
			return p
		},
		"a later one": func(l *Limiter) *Permit {
			p, later := acquire(t, l, 1)[0], acquire(t, l, 1)[0]
			later.Release()
			return p
		},
	} {
		l := New(64)
		p := other(l)
		if !p.Refused() {
			t.Errorf("%s: the refused request was alone", name)
		}
		p.Release()
	}
}

// Of requests that were in flight together the first refusal halves the bound: the others say
// the same. A later request's refusal halves it again, down to one.
func TestHalve(t *testing.T) {
	l := New(64)
	for _, want := range []int{32, 16, 8, 4, 2, 1} {
		round := acquire(t, l, 2*want)
		for _, p := range round {
			if !p.Refused() {
				t.Fatal("refused alone")
			}
		}
		for _, p := range round {
			p.Release()
		}
		wantLimit(t, l, 0, want)
	}
	p := acquire(t, l, 1)[0]
	if p.Refused() {
		t.Error("at a bound of one a request is alone")
	}
}

// The bound is half of what was in flight, if that was less than the bound.
func TestHalveOfFew(t *testing.T) {
	l := New(64)
	few := acquire(t, l, 10)
	few[9].Refused()
	for _, p := range few {
		p.Release()
	}
	wantLimit(t, l, 0, 5)
}

// It is half of what was in flight when the request began, if others have ended since.
func TestHalveOfMany(t *testing.T) {
	l := New(64)
	many := acquire(t, l, 10)
	for _, p := range many[:9] {
		p.Release()
	}
	many[9].Refused()
	many[9].Release()
	wantLimit(t, l, 0, 5)
}

// What the server took before a refusal does not make the bound grow afterwards.
func TestHalveForgets(t *testing.T) {
	l := New(4)
	two := acquire(t, l, 2)
	for range 4*rounds - 1 {
		two[0].Accepted()
	}
	two[1].Refused()
	two[0].Release()
	two[1].Release()
	wantLimit(t, l, 0, 1)
	for range rounds - 1 {
		two[0].Accepted()
	}
	wantLimit(t, l, 0, 1)
}

// Several rounds that the server takes add one.
func TestGrow(t *testing.T) {
	l := New(4)
	two := acquire(t, l, 2)
	two[0].Refused()
	two[0].Release()
	two[1].Release()
	for limit := 1; limit <= 4; limit++ {
		for range rounds * limit {
			wantLimit(t, l, 0, limit)
			p := acquire(t, l, 1)[0]
			p.Accepted()
			p.Release()
		}
	}
	wantLimit(t, l, 0, 4) // its greatest
}

// Growth lets one go that waits.
func TestGrowWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(64)
		two := acquire(t, l, 2)
		two[0].Refused()
		two[0].Release()
		went := false
		go func() {
			if _, err := l.Acquire(t.Context()); err == nil {
				went = true
			}
		}()
		for range rounds {
			synctest.Wait()
			if went {
				t.Fatal("it went before the bound grew")
			}
			two[1].Accepted()
		}
		synctest.Wait()
		if !went {
			t.Error("it waits although the bound has grown")
		}
	})
}

func TestLower(t *testing.T) {
	l := New(64)
	l.Lower(16)
	wantLimit(t, l, 0, 16)
	l.Lower(32)
	wantLimit(t, l, 0, 16)
}

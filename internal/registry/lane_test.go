package registry

import (
	"context"
	"errors"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// entered returns a passage that need not wait.
func entered(t *testing.T, l *lane, size int64) *passage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p, err := l.enter(ctx, size)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// laneTo returns a lane to a host whose first connection speaks HTTP/2 or HTTP/1.1.
func laneTo(t *testing.T, http2 bool, distance time.Duration) *lane {
	t.Helper()
	l := newLane(maxConnections)
	p := entered(t, l, 0)
	p.gotConnection(http2)
	l.measured(time.Hour)
	l.measured(distance)
	l.measured(time.Minute)
	p.leave()
	return l
}

func TestLaneShares(t *testing.T) {
	const near, far = farAway - 1, farAway
	for name, test := range map[string]struct {
		http2    bool
		distance time.Duration
		sizes    []int64 // of requests that are sent one after the other
		shared   []bool
	}{
		"HTTP/2, near":           {true, near, []int64{0, smallBody, smallBody + 1, 1 << 30}, []bool{true, true, false, false}},
		"HTTP/2, far":            {true, far, []int64{0, smallBody, maxShared - smallBody, 1, smallBody + 1}, []bool{true, true, true, true, false}},
		"HTTP/2, far, too large": {true, far, []int64{maxShared + 1, maxShared, smallBody + 1, smallBody}, []bool{false, true, false, true}},
		"HTTP/1.1":               {false, far, []int64{0, 1 << 30, 0, 0, 0, 1}, []bool{true, true, true, true, false, false}},
	} {
		l := laneTo(t, test.http2, test.distance)
		var passages []*passage
		for i, size := range test.sizes {
			p := entered(t, l, size)
			if p.shared != test.shared[i] {
				t.Errorf("%s: request %d: shared %v", name, i, p.shared)
			}
			passages = append(passages, p)
		}
		for _, p := range passages {
			p.leave()
			p.leave() // once
		}
		if l.shared != 0 || l.bytes != 0 || l.connected != 0 {
			t.Errorf("%s: afterwards: %+v", name, l)
		}
	}
}

// Over HTTP/1.1 there are as many requests as connections, over HTTP/2 more.
func TestLaneBounds(t *testing.T) {
	for http2, want := range map[bool]int{true: maxRequests, false: maxConnections} {
		l := laneTo(t, http2, 0)
		for range want {
			entered(t, l, 0)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.enter(ctx, 0); err == nil {
			t.Errorf("HTTP/2 %v: more than %d requests", http2, want)
		}
	}
}

// The first request goes alone until it has a connection, or has failed.
func TestLaneFirst(t *testing.T) {
	for name, happens := range map[string]func(*passage){
		"a connection": func(p *passage) { p.gotConnection(true) },
		"a failure":    func(p *passage) { p.leave() },
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLane(maxConnections)
			first := entered(t, l, 1<<30)
			if !first.shared {
				t.Error("the first connection is not the one that tells the protocol")
			}
			var second *passage
			go func() { second, _ = l.enter(t.Context(), 0) }()
			enough := errors.New("enough")
			ctx, cancel := context.WithCancelCause(t.Context())
			var cancelled error
			go func() { _, cancelled = l.enter(ctx, 0) }()
			synctest.Wait()
			if second != nil {
				t.Errorf("%s: the second did not wait", name)
			}
			cancel(enough)
			synctest.Wait()
			if cancelled != enough {
				t.Errorf("%s: the one that is cancelled: %v", name, cancelled)
			}
			happens(first)
			synctest.Wait()
			if second == nil {
				t.Errorf("%s: the second waits", name)
			}
		})
	}
}

// A first request that is cancelled while it waits leaves nobody behind.
func TestLaneFirstCancelled(t *testing.T) {
	l := newLane(maxConnections)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range maxRequests {
		if _, err := l.limiter.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.enter(ctx, 0); err == nil {
		t.Fatal("entered a full lane")
	}
	select {
	case <-l.opened:
	default:
		t.Error("the others wait for the one that is gone")
	}
}

// A host that refuses a further connection while others are in use gets fewer.
func TestLaneCrowdedOut(t *testing.T) {
	for name, test := range map[string]struct {
		http2, beside bool // beside: another request has a connection
		answered      bool // and its response
		silent        bool // no request was answered before
		size          int64
		connected     bool
		err           error
		want          bool
	}{
		"HTTP/2, a further connection":          {http2: true, size: 1 << 30, want: true},
		"HTTP/2, the shared one":                {http2: true},
		"HTTP/1.1, others in use":               {beside: true, want: true},
		"HTTP/1.1, others were answered":        {beside: true, answered: true, want: true},
		"HTTP/1.1, none in use":                 {want: true},
		"HTTP/1.1, none in use, in time":        {err: os.ErrDeadlineExceeded},
		"HTTP/1.1, in time":                     {beside: true, err: os.ErrDeadlineExceeded, want: true},
		"HTTP/1.1, a host that never answered":  {silent: true},
		"a request that had its own connection": {beside: true, connected: true},
	} {
		l := laneTo(t, test.http2, 0)
		if !test.silent {
			l.answers = 1
		}
		other := entered(t, l, 0)
		if test.beside {
			other.gotConnection(test.http2)
		}
		p := entered(t, l, test.size)
		if test.answered {
			other.answered(&http.Response{ProtoMajor: 1})
			other.leave()
		}
		if test.connected {
			p.gotConnection(test.http2)
		}
		if got := p.crowdedOut(test.err); got != test.want || l.narrow != (test.want || test.http2) {
			t.Errorf("%s: %v, narrow %v", name, got, l.narrow)
		}
		p.leave()
		other.leave()
		if p = entered(t, l, 1<<30); test.want && !p.shared {
			t.Errorf("%s: it dials again", name)
		}
	}
}

// A host's protocol is that of the last connection that could have had either: a first one may
// fail, and servers change.
func TestLaneLearns(t *testing.T) {
	l := newLane(5)
	entered(t, l, 0).leave()
	p := entered(t, l, 0)
	if p.gotConnection(true); !l.http2 {
		t.Error("after a failure the first connection tells nothing")
	}
	spread := entered(t, l, 1<<30)
	if spread.gotConnection(false); spread.shared || !l.http2 {
		t.Error("a connection that offers HTTP/1.1 alone counts")
	}
	if p.gotConnection(false); l.http2 {
		t.Error("the host speaks HTTP/2 for ever")
	}
	for range 3 {
		entered(t, l, 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.enter(ctx, 0); err == nil {
		t.Error("more requests than connections")
	}
}

// Package aimd bounds how many requests a client has in flight to a server.
//
// The bound adapts as TCP's congestion window does: a refusal halves it, and it grows by one
// for a few rounds of requests that the server takes (additive increase, multiplicative
// decrease: RFC 5681, sections 3.1 and 3.2).
package aimd

import (
	"container/list"
	"context"
	"sync"
)

// rounds of requests are taken before the bound grows.
const rounds = 4

// A Limiter bounds the requests in flight. Its methods may be called concurrently.
type Limiter struct {
	mu       sync.Mutex
	most     int // that the bound grows to
	limit    int
	inFlight int
	waiting  list.List // of chan *Permit, in the order of their calls
	taken    int       // by the server, since the bound changed

	// Requests are numbered as they begin.
	begun   int // the last one
	crowded int // the last one that began while another was in flight
	halved  int // the last one before the bound was halved
}

// New returns a Limiter that starts with its greatest bound, which is at least 1.
func New(most int) *Limiter { return &Limiter{most: most, limit: most} }

// Lower lowers the greatest bound, if it is higher.
func (l *Limiter) Lower(most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most = min(l.most, most)
	l.limit = min(l.limit, l.most)
}

// A Permit allows one request. One goroutine uses it.
type Permit struct {
	limiter *Limiter
	begun   int
	beside  int // requests in flight when it began, with its own
	over    bool
}

// Acquire waits until a request may be sent; those that wait are served in order. The error is
// the cause of ctx's end.
func (l *Limiter) Acquire(ctx context.Context) (*Permit, error) {
	l.mu.Lock()
	if l.inFlight < l.limit { // then nobody waits
		defer l.mu.Unlock()
		return l.begin(), nil
	}
	turn := make(chan *Permit, 1)
	place := l.waiting.PushBack(turn)
	l.mu.Unlock()
	select {
	case p := <-turn:
		return p, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	select {
	case p := <-turn: // at the same time
		l.mu.Unlock()
		p.Release()
	default:
		l.waiting.Remove(place)
		l.mu.Unlock()
	}
	return nil, context.Cause(ctx)
}

// begin begins a request. l.mu is held.
func (l *Limiter) begin() *Permit {
	l.begun++
	l.inFlight++
	if l.inFlight > 1 {
		l.crowded = l.begun
	}
	return &Permit{limiter: l, begun: l.begun, beside: l.inFlight}
}

// next lets those begin that may. l.mu is held.
func (l *Limiter) next() {
	for l.inFlight < l.limit && l.waiting.Len() > 0 {
		l.waiting.Remove(l.waiting.Front()).(chan *Permit) <- l.begin()
	}
}

// Accepted tells that the server took the request.
func (p *Permit) Accepted() {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken++; l.taken >= rounds*l.limit && l.limit < l.most {
		l.taken = 0
		l.limit++
		l.next()
	}
}

// Refused tells that the server refused the request because it is busy. It reports whether
// other requests were in flight at the same time. If so, fewer will be, and the caller
// releases the permit and sends the request again with another one; of requests that were in
// flight together, the first refusal lowers the bound. If not, the refusal has another reason
// than the client's own requests.
func (p *Permit) Refused() bool {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.crowded < p.begun {
		return false
	}
	if l.halved < p.begun {
		l.limit = max(1, min(l.limit, max(p.beside, l.inFlight))/2)
		l.halved, l.taken = l.begun, 0
	}
	return true
}

// Release ends the request. Further calls do nothing.
func (p *Permit) Release() {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.over {
		return
	}
	p.over = true
	l.inFlight--
	l.next()
}

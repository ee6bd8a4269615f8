package registry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenticai/packvendor/internal/aimd"
)

// Bounds on what is in flight to one host at once.
const (
	maxRequests       = 64
	maxConnections    = 16
	sharedConnections = 4 // of maxConnections; over HTTP/2 one is enough, unless its streams run out
)

// smallBody is the size in bytes up to which a body goes over a shared connection anyway.
const smallBody = 64 << 10

// maxShared bounds the bytes that are under way over shared connections to a host that is
// far: these grow fast while the others are dialled, but one lost segment holds up all that
// it carries.
const maxShared = 4 << 20

// farAway is the time of a response from which on a new connection, which takes two round
// trips, costs more than HTTP/2's frames: https://github.com/golang/go/issues/47840.
const farAway = 3 * time.Millisecond

// A lane is what a Client knows of one host, and what it has in flight to it.
//
// Over HTTP/2 one connection carries all small requests: they need no round trips for
// connections, and do not wait for each other. Bodies spread over several connections with
// HTTP/1.1. Without HTTP/2 all requests spread.
type lane struct {
	limiter     *aimd.Limiter
	spread      *aimd.Limiter // of large bodies: one on each connection beside the shared ones
	connections int           // at most
	opened      chan struct{} // closed once the first connection is there, or has failed
	open        func()        // closes opened

	mu        sync.Mutex
	tried     bool          // somebody makes the first connection
	http2     bool          // the host speaks it, as far as is known
	narrow    bool          // there are shared connections alone, for example since the host refuses others
	distance  time.Duration // the least time in which a response began; 0 is unknown
	connected int           // requests in flight that have a connection
	answers   int           // responses so far
	shared    int           // requests in flight over shared connections
	bytes     int64         // of the bodies that they will have
}

func newLane(connections int) *lane {
	spread := connections - sharedConnections
	l := &lane{
		limiter: aimd.New(maxRequests), spread: aimd.New(spread), connections: connections, narrow: spread < 1,
		opened: make(chan struct{}),
	}
	l.open = sync.OnceFunc(func() { close(l.opened) })
	return l
}

type bodySizeKey struct{}

// withBodySize marks a request, and those of its redirects, with the size in bytes of the body
// that is to come.
func withBodySize(ctx context.Context, size int64) context.Context {
	return context.WithValue(ctx, bodySizeKey{}, size)
}

// bodySize is 0 for requests with small bodies.
func bodySize(req *http.Request) int64 {
	size, _ := req.Context().Value(bodySizeKey{}).(int64)
	return size
}

// Lanes are the lanes of all hosts.
type lanes struct {
	connections int // of each, at most

	mu     sync.Mutex
	byHost map[string]*lane // by scheme and host:port
}

func (l *lanes) to(u *url.URL) *lane {
	key := u.Scheme + "://" + hostOf(u)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byHost == nil {
		l.byHost = map[string]*lane{}
	}
	if l.byHost[key] == nil {
		l.byHost[key] = newLane(l.connections)
	}
	return l.byHost[key]
}

// A passage is one request in its lane. Its methods may be called concurrently.
//
// It has a mutex of its own, which is locked before the lane's.
type passage struct {
	lane   *lane
	permit *aimd.Permit
	slot   *aimd.Permit // of lane.spread; nil if it needs none
	before int          // responses of the host when it began
	size   int64        // bytes of the body that is to come; 0 if it is small or unknown
	shared bool         // over a shared connection

	mu        sync.Mutex
	connected bool
	over      bool
}

// enter waits until a request may be sent, with a body of so many bytes to come. The first
// request to a host goes alone until it has a connection: nobody knows before how many
// requests a connection carries. A large body waits here for a connection, and not in net/http,
// where the watchdog would count the time. The error is the cause of ctx's end.
func (l *lane) enter(ctx context.Context, size int64) (*passage, error) {
	first, err := l.isFirst(ctx)
	if err != nil {
		return nil, err
	}
	p := &passage{lane: l, size: size}
	if err := p.choose(ctx, first); err != nil {
		return nil, err
	}
	if p.permit, err = l.limiter.Acquire(ctx); err != nil {
		p.leave()
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p.before = l.answers
	if !p.shared && p.slot == nil && (l.narrow || l.shared < sharedConnections) {
		p.share()
	}
	return p, nil
}

// choose has the first request to a host share a connection, and chooses for each request over
// HTTP/2: a large body waits for a connection of its own, unless the host is far and there is
// room beside others. Over HTTP/1.1 the permit comes first, since there are as many as
// connections.
func (p *passage) choose(ctx context.Context, first bool) (err error) {
	if p.mayShare(first) {
		return nil
	}
	if p.slot, err = p.lane.spread.Acquire(ctx); err != nil {
		return err
	}
	if p.mayShare(false) { // there is room now, or the host refuses further connections
		p.slot.Release()
		p.slot = nil
	}
	return nil
}

// mayShare reports whether a passage needs no connection for itself, as far as is known, and
// counts it if it shares one.
func (p *passage) mayShare(first bool) bool {
	l := p.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case first, l.http2 && (l.narrow || p.size <= smallBody), l.http2 && l.distance >= farAway && l.bytes+p.size <= maxShared:
		p.share()
	case l.http2:
		return false
	}
	return true
}

// share counts a passage among those that share connections. The lane's mutex is held.
func (p *passage) share() {
	p.shared = true
	p.lane.shared++
	p.lane.bytes += p.size
}

// isFirst reports whether a request is the first one to the host. All others wait until that
// has a connection, or has failed.
func (l *lane) isFirst(ctx context.Context) (bool, error) {
	l.mu.Lock()
	first := !l.tried
	l.tried = true
	l.mu.Unlock()
	if first {
		return true, nil
	}
	select {
	case <-l.opened:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// traced returns the passage's request, with hooks by which the passage learns of its
// connection.
func (p *passage) traced(req *http.Request) *http.Request {
	var sent atomic.Pointer[time.Time]
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) {
			now := time.Now()
			sent.Store(&now)
		},
		GotFirstResponseByte: func() {
			if at := sent.Load(); at != nil {
				p.lane.measured(time.Since(*at))
			}
		},
		GotConn: func(info httptrace.GotConnInfo) { p.gotConnection(isHTTP2(info.Conn)) },
	}))
}

// measured records in what time a response began.
func (l *lane) measured(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.distance == 0 || took < l.distance {
		l.distance = took
	}
}

// gotConnection records that the passage has a connection. A shared one tells which protocol the
// host speaks, and the last one counts; a connection with HTTP/1.1 carries one request. The other
// connections offer no HTTP/2.
func (p *passage) gotConnection(http2 bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if !p.connected && !p.over {
		p.connected = true
		l.connected++
	}
	if !p.shared {
		return
	}
	if l.http2 = http2; !http2 {
		l.limiter.Lower(l.connections)
	}
	l.open()
}

// crowdedOut reports whether the passage failed because of other requests: a host that works
// refuses further connections, or further requests over those that there are. Then there are to
// be fewer, and the request may be sent again. err is the failure.
func (p *passage) crowdedOut(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	switch works := l.connected > 0 || l.answers > p.before; {
	case errors.Is(err, errNotTaken): // its connections may carry one request each, over HTTP/2, too
		l.limiter.Lower(l.connections)
		return p.permit.Refused()
	case p.connected:
		return false
	case l.http2: // one connection is enough, if it is there
		l.narrow = true
		return !p.shared
	case !works && (l.answers == 0 || isTimeout(err)):
		return false // it may be gone
	}
	l.narrow = true
	l.limiter.Lower(sharedConnections)
	return p.permit.Refused()
}

func isTimeout(err error) bool {
	var stalled *stallError
	var timeout net.Error
	return errors.As(err, &stalled) || errors.As(err, &timeout) && timeout.Timeout()
}

// answered records a response that is no refusal.
func (p *passage) answered(resp *http.Response) {
	p.gotConnection(resp.ProtoMajor == 2)
	p.lane.mu.Lock()
	p.lane.answers++
	p.lane.mu.Unlock()
	p.permit.Accepted()
}

// leave ends the passage. Further calls do nothing.
func (p *passage) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over = true
	for _, held := range []*aimd.Permit{p.slot, p.permit} {
		if held != nil {
			defer held.Release()
		}
	}
	l := p.lane
	l.open()
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.connected {
		l.connected--
	}
	if p.shared {
		l.shared--
		l.bytes -= p.size
	}
}

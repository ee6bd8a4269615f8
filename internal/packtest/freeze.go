package packtest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// A listener keeps its accepted connections, to freeze them.
type listener struct {
	net.Listener

	mu      sync.Mutex
	stopped bool
	conns   map[*Conn]bool
	opened  int // connections since forget
	most    int // connections at once since forget
}

// A Conn is a server's side of a connection. A frozen one neither reads nor writes: to
// the client it looks like a server with its cable pulled out.
type Conn struct {
	net.Conn
	from   *listener
	once   sync.Once
	closed chan struct{}

	mu     sync.Mutex
	thawed chan struct{} // closed while it is not frozen
	writes map[int]int   // the number of writes by size
	wrote  chan struct{} // closed by the next write
}

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, conns: map[*Conn]bool{}}
}

// Accept returns a *Conn.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &Conn{
		Conn: accepted, from: l,
		closed: make(chan struct{}), thawed: make(chan struct{}),
		writes: map[int]int{}, wrote: make(chan struct{}),
	}
	close(c.thawed)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = true
	l.opened++
	l.most = max(l.most, len(l.conns))
	return c, nil
}

// seen returns how many connections were opened, and how many were open at once, since forget.
func (l *listener) seen() (opened, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened, l.most
}

func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened, l.most = 0, len(l.conns)
}

// all returns the open connections.
func (l *listener) all() (open []*Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		open = append(open, c)
	}
	return open
}

// stop closes present and future frozen connections: closing a TLS connection writes to
// it, so the server could not.
func (l *listener) stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	for _, c := range l.all() {
		if c.Frozen() {
			c.Close()
		}
	}
}

// Freeze stops reading from and writing to every present connection, like a failed
// network. New ones work. It ends when thaw is called or the registry stops.
func (r *Registry) Freeze() (thaw func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == nil {
		return func() {}
	}
	frozen := r.listener.all()
	for _, c := range frozen {
		c.Freeze()
	}
	return func() {
		for _, c := range frozen {
			c.thaw()
		}
	}
}

// Freeze stops reading from and writing to the connection until the registry stops.
func (c *Conn) Freeze() {
	c.mu.Lock()
	select {
	case <-c.thawed:
		c.thawed = make(chan struct{})
	default:
	}
	c.mu.Unlock()
	c.from.mu.Lock()
	stopped := c.from.stopped
	c.from.mu.Unlock()
	if stopped {
		c.Close()
	}
}

func (c *Conn) thaw() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.thawed:
	default:
		close(c.thawed)
	}
}

// Frozen reports whether the connection is frozen.
func (c *Conn) Frozen() bool {
	select {
	case <-c.gate():
		return false
	default:
		return true
	}
}

// gate returns a channel that is closed unless the connection is frozen.
func (c *Conn) gate() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.thawed
}

// wait waits until the connection is not frozen. After Close it always fails: no write may follow
// one that failed, because a client cannot decrypt a TLS record after one that is lost.
func (c *Conn) wait() error {
	select {
	case <-c.gate():
	case <-c.closed:
	}
	select {
	case <-c.closed:
		return net.ErrClosed
	default:
		return nil
	}
}

// Read holds back received bytes while the connection is frozen.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if closed := c.wait(); closed != nil {
		return 0, closed
	}
	return n, err
}

func (c *Conn) Write(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes[n]++
	close(c.wrote)
	c.wrote = make(chan struct{})
	return n, err
}

// Written returns the number of writes of one size, and a channel that the next write
// closes.
func (c *Conn) Written(size int) (int, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writes[size], c.wrote
}

// Await waits for so many writes of one size, for a bounded time.
func (c *Conn) Await(size, count int) {
	giveUp := time.NewTimer(awaitTimeout)
	defer giveUp.Stop()
	for {
		seen, wrote := c.Written(size)
		if seen >= count {
			return
		}
		select {
		case <-wrote:
		case <-c.closed:
			return
		case <-giveUp.C:
			return
		}
	}
}

const awaitTimeout = 100 * time.Millisecond

// Close works on a frozen connection, too.
func (c *Conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	c.from.mu.Lock()
	delete(c.from.conns, c)
	c.from.mu.Unlock()
	return c.Conn.Close()
}

type connKey struct{} // of a request's context: its net.Conn

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ConnOf returns a request's connection, and the protocol layer above: a *tls.Conn or
// the connection itself.
func ConnOf(r *http.Request) (c *Conn, over net.Conn) {
	over = r.Context().Value(connKey{}).(net.Conn)
	if secured, ok := over.(*tls.Conn); ok {
		return secured.NetConn().(*Conn), over
	}
	return over.(*Conn), over
}

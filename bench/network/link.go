package network

import (
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// A Link is a user's line: it leads to servers on this machine, and all connections through
// it share it. Several goroutines may use it at once.
type Link struct {
	begin time.Time // of its clock

	mu          sync.Mutex
	rest        *sync.Cond // a connection has ended
	up, down    *lane
	listeners   []net.Listener
	connections map[*connection]bool
	past        []Connection
	closed      bool
	group       sync.WaitGroup
}

// New returns a link that takes no time. The caller must close it.
func New() *Link {
	l := &Link{begin: time.Now(), connections: map[*connection]bool{}}
	l.rest = sync.NewCond(&l.mu)
	l.Set(Path{})
	return l
}

// Set gives the link another path, for connections from now on.
func (l *Link) Set(p Path) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up, l.down = newLane(p), newLane(p)
}

// To returns an address of 127.0.0.1 that leads through the link to a server.
func (l *Link) To(server string) (address string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return "", net.ErrClosed
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	l.listeners = append(l.listeners, listener)
	l.group.Go(func() { l.accept(listener, server) })
	return listener.Addr().String(), nil
}

// A Connection is what has passed through a connection.
type Connection struct {
	Server         string
	Opened, Closed time.Duration // on the link's clock
	Up, Down       int64         // bytes that the client has sent, and received
	// Turns is how often the client sent something after it had received something, at
	// most once in a round trip, and once for the first. Each is a round trip that the
	// client waited for, and the handshake of TCP is one more.
	Turns int
}

// Take waits until no connection is open, and returns those since the last call in the order
// in which they were opened. Their clients must have closed them.
func (l *Link) Take() []Connection {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.connections) > 0 {
		l.rest.Wait()
	}
	past := l.past
	l.past = nil
	slices.SortFunc(past, func(a, b Connection) int { return int(a.Opened - b.Opened) })
	return past
}

// Close ends all connections, and returns when nothing of the link is left.
func (l *Link) Close() error {
	l.mu.Lock()
	l.closed = true
	var errs []error
	for _, listener := range l.listeners {
		errs = append(errs, listener.Close())
	}
	for c := range l.connections {
		c.abort()
	}
	l.mu.Unlock()
	l.group.Wait()
	return errors.Join(errs...)
}

func (l *Link) now() time.Duration { return time.Since(l.begin) }

func (l *Link) accept(listener net.Listener, server string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		l.group.Go(func() { l.serve(client.(*net.TCPConn), server) })
	}
}

// serve passes on what a client and a server say. A client whose server is not there is reset,
// as it would be by the server's machine.
func (l *Link) serve(client *net.TCPConn, server string) {
	opened := l.now()
	far, err := net.Dial("tcp", server)
	if err != nil {
		reset(client)
		return
	}
	c, err := l.connect(client, far.(*net.TCPConn), Connection{Server: server, Opened: opened})
	if err != nil {
		reset(client)
		reset(far.(*net.TCPConn))
		return
	}
	c.run()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.connections, c)
	c.past.Closed = l.now()
	l.past = append(l.past, c.past)
	l.rest.Broadcast()
}

// connect makes a connection of the link. The client's bytes leave after the handshake, a
// round trip; the server hears of its end half a round trip later.
func (l *Link) connect(client, server *net.TCPConn, past Connection) (*connection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, net.ErrClosed
	}
	path := l.up.path
	c := &connection{link: l, past: past}
	for _, conn := range []*net.TCPConn{client, server} {
		// What the path has no room for stays with its sender, and what the receiver does
		// not read stays on the path.
		if err := errors.Join(conn.SetReadBuffer(socketBuffer), conn.SetWriteBuffer(socketBuffer)); err != nil {
			return nil, err
		}
	}
	established := past.Opened + path.RoundTrip()
	c.up = newPipe(c, client, server, l.up.open(established))
	c.down = newPipe(c, server, client, l.down.open(established+path.Delay))
	c.up.back, c.down.back = c.down, c.up
	c.up.onReceive, c.down.onDeliver = c.clientSent, c.clientReceived
	if err := errors.Join(c.up.prepare(), c.down.prepare()); err != nil {
		c.discard()
		return nil, err
	}
	l.connections[c] = true
	return c, nil
}

// socketBuffer is the room of a socket of the link's, in bytes.
const socketBuffer = 64 << 10

// reset ends a connection as if one end had crashed.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

package network

import (
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	late        []time.Duration // of each delivery
	closing     chan struct{}   // closed by Close
	group       sync.WaitGroup
}

// New returns a link that takes no time. The caller must close it.
func New() *Link {
	l := &Link{begin: time.Now(), connections: map[*connection]bool{}, closing: make(chan struct{})}
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
	if l.closed() {
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
	Client         string        // its address, as the server has it
	Opened, Closed time.Duration // on the link's clock
	Up, Down       int64         // bytes that the client has sent, and received
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
	if !l.closed() {
		close(l.closing)
	}
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

// closed tells whether Close was called.
func (l *Link) closed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// Now is the time on the link's clock.
func (l *Link) Now() time.Duration { return time.Since(l.begin) }

func (l *Link) accept(listener net.Listener, server string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		l.group.Go(func() { l.serve(client.(*net.TCPConn), server) })
	}
}

// serve passes on what a client and a server say. A client is reset if its server is not
// there, or has no room for it.
func (l *Link) serve(client *net.TCPConn, server string) {
	opened := l.Now()
	c, err := l.connect(client, Connection{Server: server, Opened: opened})
	if err != nil {
		l.refuse(client)
		return
	}
	c.run()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.connections, c)
	c.past.Closed = l.Now()
	l.past = append(l.past, c.past)
	l.rest.Broadcast()
}

// refuse resets a client after a round trip, as the server's machine would.
func (l *Link) refuse(client *net.TCPConn) {
	l.mu.Lock()
	roundTrip := l.up.path.RoundTrip()
	l.mu.Unlock()
	select {
	case <-time.After(roundTrip):
	case <-l.closing:
	}
	reset(client)
}

// connect connects a client with its server.
func (l *Link) connect(client *net.TCPConn, past Connection) (*connection, error) {
	far, err := toServer.Dial("tcp", past.Server)
	if err != nil {
		return nil, err
	}
	c, err := l.add(client, far.(*net.TCPConn), past)
	if err != nil {
		reset(far.(*net.TCPConn))
	}
	return c, err
}

// add makes a connection of the link. The client's bytes leave after the handshake, a round
// trip; the server hears of its end half a round trip later.
func (l *Link) add(client, server *net.TCPConn, past Connection) (*connection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	path := l.up.path
	switch {
	case l.closed():
		return nil, net.ErrClosed
	case path.Connections > 0 && l.open(past.Server) >= path.Connections:
		return nil, errFull
	}
	for _, conn := range []*net.TCPConn{client, server} {
		// What the path has no room for stays with its sender, and what the receiver does
		// not read stays on the path.
		if err := errors.Join(conn.SetReadBuffer(socketBuffer), conn.SetWriteBuffer(socketBuffer)); err != nil {
			return nil, err
		}
	}
	past.Client = server.LocalAddr().String()
	c := &connection{link: l, past: past}
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

var errFull = errors.New("the server has all connections that it may have")

// open counts the connections of a server. One counts until both ends have heard of its end.
func (l *Link) open(server string) (n int) {
	for c := range l.connections {
		if c.past.Server == server {
			n++
		}
	}
	return n
}

// socketBuffer is the room of a socket of the link's, in bytes.
const socketBuffer = 64 << 10

// toServer tells servers that a segment has as many bytes as one of a flow has. A server's
// socket holds twice as many segments as may be on the way: with the long ones of loopback, it
// would hold megabytes that the server believes to be sent.
var toServer = net.Dialer{Control: func(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, segment)
	})
	return errors.Join(err, failed)
}}

// reset ends a connection as if one end had crashed.
func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

package registry_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// A wire dials for a transport. It remembers the beginning of each connection, and can
// be cut.
type wire struct {
	// places are servers by the host:port that they seem to have. Without them
	// names lead to where they lead; with them, to nowhere else.
	places map[string]place

	mu     sync.Mutex
	firsts []byte // the first byte that each connection was sent
	dialed []string
	open   []*wireConn
}

// A place is a server of this machine that seems to be elsewhere.
type place struct {
	server string // host:port
	at     string // the address it seems to have
}

// over makes t report to w and returns it.
func (w *wire) over(t *http.Transport) *http.Transport {
	t.DialContext = w.dial
	return t
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	w.mu.Unlock()
	server, at := address, ""
	if w.places != nil {
		p, ok := w.places[address]
		if !ok {
			return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
		}
		server, at = p.server, p.at
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	c := &wireConn{Conn: conn, wire: w, cut: make(chan struct{}), closed: make(chan struct{})}
	if at != "" {
		c.at = net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(at), 443))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, c)
	return c, nil
}

// targets returns what was dialled, in order.
func (w *wire) targets() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, w.dialed...)
}

// protocols returns "tls" or "plain" for each connection that was written to.
func (w *wire) protocols() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []string{}
	for _, b := range w.firsts {
		if b == 0x16 { // a TLS handshake record
			list = append(list, "tls")
		} else {
			list = append(list, "plain")
		}
	}
	return list
}

// cutAll has all present connections lead nowhere, without a word of it to
// either end, as a router does that lost power.
func (w *wire) cutAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		c.cutOnce.Do(func() { close(c.cut) })
	}
}

type wireConn struct {
	net.Conn
	wire                        *wire
	at                          net.Addr // nil: where it really is
	cut, closed                 chan struct{}
	cutOnce, closeOnce, written sync.Once
}

func (c *wireConn) RemoteAddr() net.Addr {
	if c.at != nil {
		return c.at
	}
	return c.Conn.RemoteAddr()
}

func (c *wireConn) Write(p []byte) (int, error) {
	c.written.Do(func() {
		c.wire.mu.Lock()
		defer c.wire.mu.Unlock()
		c.wire.firsts = append(c.wire.firsts, p[0])
	})
	select {
	case <-c.cut:
		return len(p), nil // it stays in the kernel's buffers
	default:
		return c.Conn.Write(p)
	}
}

func (c *wireConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	select {
	case <-c.cut:
		<-c.closed
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (c *wireConn) Close() error {
	c.closeOnce.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

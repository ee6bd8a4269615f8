package packtest

import (
	"net"
	"sync"
)

// A Single says what a server does that allows one connection at a time.
type Single int

const (
	// AnyNumber of connections is allowed.
	AnyNumber Single = iota
	// RefuseOthers refuses to connect.
	RefuseOthers
	// ResetOthers connects, and resets the connection.
	ResetOthers
	// IgnoreOthers connects, and does nothing else until the first connection ends.
	IgnoreOthers
)

// listen listens at an address.
func listen(address string, single Single) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil || single == AnyNumber {
		return l, err
	}
	s := &singleListener{single: single, current: l, address: l.Addr()}
	s.changed.L = &s.mu
	return s, nil
}

// A singleListener has one connection at a time.
type singleListener struct {
	single  Single
	address net.Addr

	mu      sync.Mutex
	changed sync.Cond
	current net.Listener // nil while connections are refused
	taken   bool         // there is a connection
	closed  bool
}

func (s *singleListener) Addr() net.Addr { return s.address }

func (s *singleListener) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
	if s.current == nil {
		return nil
	}
	return s.current.Close()
}

func (s *singleListener) Accept() (net.Conn, error) {
	for {
		l, err := s.waitFor()
		if err != nil {
			return nil, err
		}
		conn, err := l.Accept()
		if err != nil {
			return nil, err
		}
		if tcp := conn.(*net.TCPConn); s.take(tcp) {
			return &singleConn{tcp, sync.OnceFunc(s.end)}, nil
		}
	}
}

// waitFor waits until a connection may be accepted.
func (s *singleListener) waitFor() (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.taken && s.single != ResetOthers && !s.closed {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return nil, net.ErrClosed
	case s.current == nil:
		l, err := net.Listen("tcp", s.address.String())
		if err != nil {
			return nil, err
		}
		s.current = l
	}
	return s.current, nil
}

// take makes a connection the only one, or resets it.
func (s *singleListener) take(conn *net.TCPConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken {
		conn.SetLinger(0)
		conn.Close()
		return false
	}
	if s.taken = true; s.single == RefuseOthers {
		s.current.Close()
		s.current = nil
	}
	return true
}

func (s *singleListener) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = false
	s.changed.Broadcast()
}

type singleConn struct {
	*net.TCPConn
	end func()
}

func (c *singleConn) Close() error {
	err := c.TCPConn.Close()
	c.end()
	return err
}

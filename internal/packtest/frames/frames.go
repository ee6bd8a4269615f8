// Package frames is a server that speaks HTTP/2 frame by frame, as badly as a test wants.
package frames

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Types of https://www.rfc-editor.org/rfc/rfc9113#section-6, and flags.
const (
	Data         = 0
	Headers      = 1
	Reset        = 3
	Settings     = 4
	Ping         = 6
	GoAway       = 7
	Continuation = 9

	EndStream  = 1
	EndHeaders = 4
	Ack        = 1
)

// Codes of https://www.rfc-editor.org/rfc/rfc9113#section-7.
const (
	NoError         = 0
	ProtocolError   = 1
	InternalError   = 2
	RefusedStream   = 7
	Cancel          = 8
	EnhanceYourCalm = 11
	HTTP11Required  = 13
)

// Settings of https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2.
const (
	HeaderTableSize      = 1
	MaxConcurrentStreams = 3
	InitialWindowSize    = 4
)

// A Server counts what reaches it.
type Server struct {
	Host        string
	Connections atomic.Int64
	Streams     atomic.Int64 // of all connections

	listener net.Listener
	settings []uint32
	answer   func(Conn, uint32)
	over     chan struct{}
	all      sync.WaitGroup
}

// A Conn is a server's side of a connection.
type Conn struct {
	net.Conn
	// Number is the stream's among all of the server, from 1.
	Number int64
}

// Serve starts a server with a certificate that sends settings, pairs of an identifier and a
// value, and calls answer for each stream: on each connection one after the other. The caller
// must Close it.
func Serve(certificate tls.Certificate, settings []uint32, answer func(c Conn, stream uint32)) (*Server, error) {
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	if err != nil {
		return nil, fmt.Errorf("server of frames: %w", err)
	}
	s := &Server{Host: l.Addr().String(), listener: l, settings: settings, answer: answer, over: make(chan struct{})}
	s.all.Go(s.accept)
	return s, nil
}

// Close ends all connections.
func (s *Server) Close() {
	close(s.over)
	s.listener.Close()
	s.all.Wait()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.Connections.Add(1)
		ended := make(chan struct{})
		s.all.Go(func() {
			defer close(ended)
			s.serve(conn)
		})
		s.all.Go(func() {
			select {
			case <-s.over:
			case <-ended:
			}
			conn.Close()
		})
	}
}

// serve reads a connection until it ends. The headers of requests are skipped.
func (s *Server) serve(conn net.Conn) {
	if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	Conn{Conn: conn}.Settings(s.settings...)
	for header := make([]byte, 9); ; {
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(header)>>8)); err != nil {
			return
		}
		switch {
		case header[3] == Headers:
			s.answer(Conn{conn, s.Streams.Add(1)}, binary.BigEndian.Uint32(header[5:]))
		case header[3] == Settings && header[4]&Ack == 0:
			Conn{Conn: conn}.Frame(Settings, Ack, 0, nil)
		}
	}
}

// Frame sends a frame.
func (c Conn) Frame(kind, flags byte, stream uint32, payload []byte) error {
	n := len(payload)
	frame := binary.BigEndian.AppendUint32([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, stream)
	_, err := c.Write(append(frame, payload...))
	return err
}

// Settings sends pairs of an identifier and a value.
func (c Conn) Settings(pairs ...uint32) error {
	var payload []byte
	for i := 0; i < len(pairs); i += 2 {
		payload = binary.BigEndian.AppendUint16(payload, uint16(pairs[i]))
		payload = binary.BigEndian.AppendUint32(payload, pairs[i+1])
	}
	return c.Frame(Settings, 0, 0, payload)
}

// Reset ends a stream with a code.
func (c Conn) Reset(stream, code uint32) error {
	return c.Frame(Reset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
}

// GoAway tells that streams after the last one are not looked at.
func (c Conn) GoAway(last, code uint32, debug string) error {
	payload := binary.BigEndian.AppendUint32(nil, last)
	payload = binary.BigEndian.AppendUint32(payload, code)
	return c.Frame(GoAway, 0, 0, append(payload, debug...))
}

// Headers sends a header of pairs of a name and a value; flags may be [EndStream].
func (c Conn) Headers(stream uint32, flags byte, pairs ...string) error {
	return c.Frame(Headers, EndHeaders|flags, stream, Fields(pairs...))
}

// OK answers with 200 and a whole body.
func (c Conn) OK(stream uint32, body string) {
	c.Headers(stream, 0, ":status", "200")
	c.Frame(Data, EndStream, stream, []byte(body))
}

// Fields encodes pairs of a name and a value, of at most 126 bytes each, as literal fields
// without indexing: https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2.
func Fields(pairs ...string) (block []byte) {
	for i, text := range pairs {
		if i%2 == 0 {
			block = append(block, 0)
		}
		block = append(append(block, byte(len(text))), text...)
	}
	return block
}

package registry

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// resolver returns one that knows these names' addresses and no other names. It
// counts what it is asked.
func resolver(addresses map[string]string, asked *atomic.Int64) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			for {
				query, err := readMessage(server)
				if err != nil {
					return
				}
				asked.Add(1)
				writeMessage(server, answerTo(query, addresses))
			}
		}()
		return client, nil
	}}
}

// readMessage reads a DNS message as it is sent over TCP: RFC 1035, section
// 4.2.2.
func readMessage(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, message)
	return message, err
}

func writeMessage(w io.Writer, message []byte) {
	w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
}

// answerTo answers a query with the name's one address, of either kind: RFC
// 1035, section 4.1.
func answerTo(query []byte, addresses map[string]string) []byte {
	const header = 12
	end, labels := header, []string{}
	for query[end] != 0 {
		n := int(query[end])
		labels = append(labels, string(query[end+1:end+1+n]))
		end += 1 + n
	}
	question := query[header : end+5]
	kind := binary.BigEndian.Uint16(query[end+1:])
	address, known := addresses[strings.ToLower(strings.Join(labels, "."))]
	flags, answers := uint16(0x8580), uint16(0)
	var record []byte
	switch addr, _ := netip.ParseAddr(address); {
	case !known:
		flags |= 3 // no such name
	case addr.Is4() && kind == 1, addr.Is6() && kind == 28:
		answers = 1
		record = append(record, 0xc0, header) // the question's name
		record = binary.BigEndian.AppendUint16(record, kind)
		record = append(record, 0, 1, 0, 0, 0, 60, 0, byte(len(addr.AsSlice())))
		record = append(record, addr.AsSlice()...)
	}
	message := append([]byte{}, query[:2]...)
	for _, field := range []uint16{flags, 1, answers, 0, 0} {
		message = binary.BigEndian.AppendUint16(message, field)
	}
	return append(append(message, question...), record...)
}

// victim listens on this machine and counts who comes.
func victim(t *testing.T, network, address string) (port string, came *atomic.Int64) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skip(err) // no IPv6
	}
	came = new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close() })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, came
}

func wantLocal(t *testing.T, err error, address string) {
	t.Helper()
	var local *localAddressError
	if !errors.As(err, &local) || local.Error() != "sent to a name with the local address "+address {
		t.Errorf("got %v", err)
	}
}

// The foreign transport looks at the address that is dialled, after the name was
// looked up and whatever it was: nothing is sent, no connection made.
func TestFault11_NameOfALocalAddress(t *testing.T) {
	for address, listen := range map[string]string{
		"127.0.0.1": "127.0.0.1:0", "127.0.0.2": "127.0.0.2:0", "::1": "[::1]:0", "0.0.0.0": "127.0.0.1:0",
		"169.254.169.254": "127.0.0.1:0", "100.100.100.200": "127.0.0.1:0", "fd00:ec2::254": "127.0.0.1:0",
	} {
		t.Run(address, func(t *testing.T) {
			port, came := victim(t, "tcp", listen)
			var asked atomic.Int64
			transport := NewTransport()
			transport.Proxy = nil
			transports := newTransports(transport, resolver(map[string]string{"evil.example": address}, &asked))
			req, err := http.NewRequest(http.MethodGet, "https://evil.example:"+port+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = transports.foreign[private].shared.RoundTrip(req)
			wantLocal(t, err, address)
			if temporary(newError(req, asTransient(err))) != nil {
				t.Error("it would be tried again")
			}
			if asked.Load() == 0 || came.Load() != 0 {
				t.Errorf("%d questions, %d connections", asked.Load(), came.Load())
			}

			// A registry on this machine may name it, and still no metadata service.
			_, err = transports.foreign[loopback].shared.RoundTrip(req)
			if zoneOf(netip.MustParseAddr(address)) > loopback {
				wantLocal(t, err, address)
			} else if err == nil || errors.As(err, new(*localAddressError)) {
				t.Errorf("from this machine: %v", err)
			}
		})
	}
}

// The transport for registries takes them where the user has them.
func TestRegistryOnThisMachineByName(t *testing.T) {
	port, came := victim(t, "tcp", "127.0.0.1:0")
	var asked atomic.Int64
	transport := NewTransport()
	transport.Proxy = nil
	c := New(Options{
		Transport: transport, Sleep: func(context.Context, time.Duration) error { return nil },
		Resolver: resolver(map[string]string{"registry.example": "127.0.0.1"}, &asked),
	})
	ref, _ := ociref.Parse("registry.example:" + port + "/a:1")
	if _, err := c.Manifest(context.Background(), ref); err == nil {
		t.Error("got no error")
	}
	if asked.Load() == 0 || came.Load() != maxTries {
		t.Errorf("%d questions, %d connections", asked.Load(), came.Load())
	}
	for hostport, want := range map[string]zone{"registry.example:" + port: loopback, "other.example:" + port: public} {
		r, _ := http.NewRequest(http.MethodGet, "https://"+hostport+"/", nil)
		if got := c.transports.zoneOfRegistry(r.URL); got != want {
			t.Errorf("%s: zone %d, want %d", hostport, got, want)
		}
	}
}

// A name that is not there does not appear by asking again.
func TestFault09_NoSuchHost(t *testing.T) {
	var asked atomic.Int64
	waits := 0
	transport := NewTransport()
	transport.Proxy = nil
	c := New(Options{
		Transport: transport, Resolver: resolver(nil, &asked),
		Sleep: func(context.Context, time.Duration) error { waits++; return nil },
	})
	ref, _ := ociref.Parse("registry.example/a:1")
	_, err := c.Manifest(context.Background(), ref)
	var e *Error
	if !errors.As(err, &e) || e.Tries != 0 || waits != 0 || asked.Load() == 0 {
		t.Errorf("error %v, %d waits, %d questions", err, waits, asked.Load())
	}
	if err != nil && !strings.HasSuffix(err.Error(), "registry.example: no such host") && !strings.Contains(err.Error(), "no such host") {
		t.Errorf("got %q", err)
	}
}

// An error of the wrong server, or of the proxy, is final; an error of the connection
// is not.
func TestIsFinal(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{context.Canceled, true},
		{context.DeadlineExceeded, true},
		{http.ErrSchemeMismatch, true},
		{&net.DNSError{IsNotFound: true}, true},
		{&net.DNSError{IsTimeout: true}, false},
		{&net.DNSError{IsTemporary: true}, false},
		{&proxyError{407}, true},
		{&proxyError{403}, true},
		{&proxyError{503}, false},
		{&proxyError{429}, false},
		{&localAddressError{}, true},
		{tls.RecordHeaderError{}, true},
		{&tls.CertificateVerificationError{Err: errors.New("x")}, true},
		{io.ErrUnexpectedEOF, false},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, false},
		{&stallError{after: time.Second}, false},
	} {
		if got := isFinal(&net.OpError{Op: "read", Err: test.err}); got != test.want {
			t.Errorf("%T %v: got %t, want %t", test.err, test.err, got, test.want)
		}
	}
}

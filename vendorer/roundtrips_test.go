package vendorer_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// roundTrip is the time of one in a distant network. No time passes but for messages on their
// way, so that the time of a run tells how many round trips wait for each other.
const roundTrip = 50 * time.Millisecond

// A distant network connects a run with servers in a bubble of testing/synctest. Each message
// takes half a round trip, however long it is.
type distant struct {
	servers map[string]*distantServer // by host:port
}

type distantServer struct {
	handler http.Handler
	http2   bool

	conn chan net.Conn

	mu      sync.Mutex
	dialled int // connections
}

// serve starts the servers; the result stops them.
func (d *distant) serve(certificate tls.Certificate) (stop func()) {
	var stops []func()
	for _, s := range d.servers {
		s.conn = make(chan net.Conn)
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(s.http2)
		server := &http.Server{
			Handler: s.handler, Protocols: protocols, ErrorLog: log.New(io.Discard, "", 0),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		}
		l := &distantListener{conn: s.conn, closed: make(chan struct{})}
		go server.ServeTLS(l, "", "")
		stops = append(stops, func() { server.Close() })
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
		time.Sleep(2 * roundTrip) // then all ends have heard of it
	}
}

// dial takes the round trip of TCP's handshake.
func (d *distant) dial(ctx context.Context, _, address string) (net.Conn, error) {
	s := d.servers[address]
	if s == nil {
		return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
	}
	s.mu.Lock()
	s.dialled++
	s.mu.Unlock()
	time.Sleep(roundTrip)
	ours, theirs := net.Pipe()
	select {
	case s.conn <- newDelayed(theirs):
		return newDelayed(ours), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

type distantListener struct {
	conn   chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *distantListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conn:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *distantListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *distantListener) Addr() net.Addr { return distantAddr }

var distantAddr = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:443"))

// A delayed connection holds what is written for half a round trip.
type delayed struct {
	net.Conn
	once    sync.Once
	closed  chan struct{}
	written chan message
}

type message struct {
	due  time.Time
	text []byte
}

func newDelayed(conn net.Conn) *delayed {
	d := &delayed{Conn: conn, closed: make(chan struct{}), written: make(chan message, 1<<12)}
	go d.deliver()
	return d
}

func (d *delayed) deliver() {
	defer d.Conn.Close()
	for {
		select {
		case m := <-d.written:
			time.Sleep(time.Until(m.due))
			if _, err := d.Conn.Write(m.text); err != nil {
				return
			}
		case <-d.closed:
			return
		}
	}
}

func (d *delayed) Write(p []byte) (int, error) {
	select {
	case <-d.closed:
		return 0, net.ErrClosed
	case d.written <- message{time.Now().Add(roundTrip / 2), append([]byte(nil), p...)}:
		return len(p), nil
	}
}

func (d *delayed) RemoteAddr() net.Addr { return distantAddr }

func (d *delayed) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// cdn is another host, for blobs.
const cdn = "cdn.example"

// How many round trips of a run wait for each other, and over how many connections they go. Of
// the round trips, TCP takes one, TLS one, and the ping one; over HTTP/2, 64 requests take one
// together, and so do 16 over HTTP/1.1, where 15 connections take two more.
func TestCostRoundTrips(t *testing.T) {
	http1, http2 := packtest.Options{}, packtest.Options{HTTP2: true}
	http1Token, http2Token := packtest.Options{Token: true}, packtest.Options{HTTP2: true, Token: true}
	for _, test := range []struct {
		name       string
		options    packtest.Options
		packs      int
		size       int
		redirected bool // blobs
		run        func(*project) error
		want       cost
	}{
		{"2 packs, HTTP/2", http2, 2, 16 << 10, false, cold, cost{3 + 1 + 1, 1, 0}},
		{"2 packs, HTTP/1.1", http1, 2, 16 << 10, false, cold, cost{3 + 2 + 1, 2, 0}},
		{"100 packs, HTTP/2", http2, 100, 16 << 10, false, cold, cost{3 + 2 + 2, 1, 0}},
		{"100 packs, HTTP/1.1", http1, 100, 16 << 10, false, cold, cost{3 + 2 + 7 + 7, 16, 0}},
		{"100 packs, tokens, HTTP/2", http2Token, 100, 16 << 10, false, cold, cost{3 + 2 + 2 + 2, 1, 0}},
		{"100 packs, tokens, HTTP/1.1", http1Token, 100, 16 << 10, false, cold, cost{3 + 2 + 13 + 7, 16, 0}},
		{"100 packs, redirects, HTTP/2", http2, 100, 16 << 10, true, cold, cost{3 + 2 + 1 + 2 + 2, 1, 1}},
		{"100 packs, redirects, HTTP/1.1", http1, 100, 16 << 10, true, cold, cost{3 + 2 + 7 + 12, 16, 16}},
		{"20 packs of 1 MiB, HTTP/2", http2, 20, 1 << 20, false, cold, cost{3 + 1 + 3, 13, 0}},
		{"20 packs of 1 MiB, HTTP/1.1", http1, 20, 1 << 20, false, cold, cost{3 + 2 + 2 + 2, 16, 0}},
		{"update of 100 tags, HTTP/2", http2, 100, 0, false, updateAgain, cost{3 + 2, 1, 0}},
		{"update of 100 tags, HTTP/1.1", http1, 100, 0, false, updateAgain, cost{3 + 2 + 7, 16, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newMany(t, test.options, test.packs, test.size)
			if strings.HasPrefix(test.name, "update") {
				p.must(updateTags(p))
			}
			if test.redirected {
				p.reg.Inject(redirectedOnce("https://" + cdn))
			}
			if got := p.distantCost(test.options.HTTP2, test.run); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// A cost is what a run costs in a distant network.
type cost struct {
	trips       float64 // that wait for each other
	connections int     // to the registry
	toCDN       int     // connections
}

// distantCost runs with the registry, which is the CDN, too, in a distant network.
func (p *project) distantCost(http2 bool, run func(*project) error) (of cost) {
	p.t.Helper()
	certificate, err := authority.Issue(time.Time{}, "127.0.0.1", cdn)
	p.must(err)
	own, other := &distantServer{handler: p.reg, http2: http2}, &distantServer{handler: p.reg, http2: http2}
	network := &distant{servers: map[string]*distantServer{p.reg.Host(): own, cdn + ":443": other}}
	transport := registry.NewTransport()
	transport.DialContext, transport.Proxy = network.dial, nil
	p.options.Fetch.Transport = transport
	synctest.Test(p.t.(*testing.T), func(t *testing.T) {
		defer network.serve(certificate)()
		begun := time.Now()
		if err := run(p); err != nil {
			t.Fatal(err)
		}
		of = cost{float64(time.Since(begun)) / float64(roundTrip), own.dialled, other.dialled}
	})
	return of
}

// redirectedOnce redirects blobs to the same path at another host.
func redirectedOnce(root string) packtest.Fault {
	f := fault.PresignBlob("", root)
	return packtest.Fault{Match: func(r *http.Request) bool { return f.Match(r) && r.URL.RawQuery == "" }, Serve: f.Serve}
}

// updateAgain updates packs that follow tags.
func updateAgain(p *project) error {
	p.reg.ResetRequests()
	return p.updates()()
}

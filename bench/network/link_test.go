package network

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// newLink returns a link with a path, closed at the end of the test.
func newLink(t *testing.T, p Path) *Link {
	t.Helper()
	l := New()
	l.Set(p)
	t.Cleanup(func() { l.Close() })
	return l
}

// serve starts a server of one connection, and returns an address through the link.
func serve(t *testing.T, l *Link, answer func(c *net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := listener.Accept(); err == nil {
			defer c.Close()
			answer(c.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return to(t, l, listener.Addr().String())
}

func to(t *testing.T, l *Link, server string) string {
	t.Helper()
	address, err := l.To(server)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// A request over TLS takes a round trip for the handshake of TCP, one for that of TLS and one
// for itself, and a body its slow start; the next takes only its own.
func TestNetworkRequest(t *testing.T) {
	const roundTrip = 20 * ms
	body := strings.Repeat("x", 7*initialWindow)
	for _, http2 := range []bool{false, true} {
		var last atomic.Value
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			last.Store(r.RemoteAddr)
			if r.URL.Path == "/large" {
				io.WriteString(w, body)
			}
			io.WriteString(w, r.Proto)
		}))
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)
		link := newLink(t, Path{Delay: roundTrip / 2, Rate: 100_000_000})
		root := "https://" + to(t, link, server.Listener.Addr().String())
		client := server.Client()
		get := func(path, want string, least time.Duration) {
			t.Helper()
			begin := time.Now()
			resp, err := client.Get(root + path)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
				t.Errorf("%s: %d bytes, %v, want %d", path, len(got), err, len(want))
			}
			if took := time.Since(begin); took < least {
				t.Errorf("%s took %v, less than %v", path, took, least)
			}
		}
		proto := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]
		get("/", proto, 3*roundTrip)
		get("/", proto, roundTrip)
		get("/large", body+proto, 3*roundTrip)
		client.CloseIdleConnections()
		past := link.Take()
		if len(past) != 1 || past[0].Down < int64(len(body)) || past[0].Up < 500 || past[0].Client != last.Load() {
			t.Errorf("%s: connections %+v", proto, past)
		}
		if again := link.Take(); again != nil {
			t.Errorf("the same again: %+v", again)
		}
	}
}

// All bytes arrive, in both directions, also after one of them has ended.
func TestNetworkHalfClose(t *testing.T) {
	data := make([]byte, 3<<20)
	rand.NewChaCha8([32]byte{}).Read(data)
	heard := make(chan []byte, 1)
	address := serve(t, newLink(t, Path{Delay: ms, Rate: 200_000_000}), func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		heard <- slices.Clone(all)
		slices.Reverse(all)
		c.Write(all)
	})
	c := dial(t, address)
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(<-heard, data) {
		t.Fatalf("the server has not heard what was sent, %v", err)
	}
	if slices.Reverse(got); !bytes.Equal(got, data) {
		t.Errorf("the client has not received what the server sent")
	}
}

// What breaks off on one side does so on the other.
func TestNetworkReset(t *testing.T) {
	link := newLink(t, Path{Delay: ms})
	c := dial(t, serve(t, link, func(c *net.TCPConn) {
		io.ReadFull(c, make([]byte, 1))
		reset(c)
	}))
	c.Write([]byte("x"))
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server was reset; the client has %v", err)
	}

	heard := make(chan error, 1)
	c = dial(t, serve(t, link, func(c *net.TCPConn) {
		c.Write([]byte("x"))
		_, err := io.ReadAll(c)
		heard <- err
	}))
	io.ReadFull(c, make([]byte, 1))
	reset(c)
	if err := <-heard; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client was reset; the server has %v", err)
	}
}

// A server that writes to a client that has closed hears of it.
func TestNetworkClientGone(t *testing.T) {
	heard := make(chan error, 1)
	c := dial(t, serve(t, newLink(t, Path{Delay: ms}), func(c *net.TCPConn) {
		for { // also after it has read the client's end
			if _, err := c.Write(make([]byte, 1<<16)); err != nil {
				heard <- err
				return
			}
		}
	}))
	io.ReadFull(c, make([]byte, 1))
	c.Close()
	<-heard
}

// wantReset fails the test unless a connection is reset, a round trip after it began.
func wantReset(t *testing.T, address string, roundTrip time.Duration) {
	t.Helper()
	begin := time.Now()
	c, err := net.Dial("tcp", address)
	if err == nil { // the reset may come before the dial has returned
		defer c.Close()
		c.SetReadDeadline(begin.Add(10 * time.Second))
		_, err = io.ReadAll(c)
	}
	if took := time.Since(begin); !errors.Is(err, syscall.ECONNRESET) || took < roundTrip {
		t.Errorf("after %v: %v", took, err)
	}
}

func TestNetworkNoServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	wantReset(t, to(t, newLink(t, Path{Delay: 5 * ms}), listener.Addr().String()), 10*ms)
}

// echo starts a server that says whatever it hears.
func echo(t *testing.T) (server string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer c.Close()
				io.Copy(c, c)
			})
		}
	})
	t.Cleanup(group.Wait)
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func wantEcho(t *testing.T, c net.Conn) {
	t.Helper()
	said := make([]byte, 1)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, said); err != nil || string(said) != "x" {
		t.Fatalf("the echo is %q, %v", said, err)
	}
}

// A server that has all connections that it may have resets others, until one of them has
// ended. Another server has its own.
func TestNetworkFull(t *testing.T) {
	link := newLink(t, Path{Delay: ms, Connections: 2})
	server, other := echo(t), echo(t)
	address := to(t, link, server)
	first, second := dial(t, address), dial(t, address)
	for _, c := range []net.Conn{first, second, dial(t, to(t, link, other))} {
		wantEcho(t, c)
	}
	wantReset(t, address, 2*ms)
	wantEcho(t, second)
	first.Close()
	link.mu.Lock()
	for link.open(server) == 2 {
		link.rest.Wait()
	}
	link.mu.Unlock()
	wantEcho(t, dial(t, address))
}

// A server takes little for sent that has not left yet.
func TestNetworkUnsent(t *testing.T) {
	const most = 3 << 20
	if n := writable(t, Path{Delay: time.Hour, Rate: far.Rate}, most+1); n == 0 || n > most {
		t.Errorf("the server could write %d bytes, of which none has left", n)
	}
}

// A client that does not read holds up the server: what is on the way is bounded.
func TestNetworkBackpressure(t *testing.T) {
	const most = 16 << 20
	if n := writable(t, Path{Delay: ms, Rate: 100_000_000}, 1<<30); n == 0 || n > most {
		t.Errorf("the server could send %d bytes to a client that has read none", n)
	}
}

// writable is how many of so many bytes a server can write in half a second to a client that
// does not read.
func writable(t *testing.T, p Path, all int) int {
	t.Helper()
	written := make(chan int, 1)
	c := dial(t, serve(t, newLink(t, p), func(c *net.TCPConn) {
		c.SetWriteDeadline(time.Now().Add(500 * ms))
		n := 0
		for block := make([]byte, 16<<10); n < all; {
			m, err := c.Write(block)
			if n += m; err != nil {
				break
			}
		}
		written <- n
	}))
	defer c.Close()
	return <-written
}

// A link that is closed ends what is open, and leaves nothing behind.
func TestNetworkClose(t *testing.T) {
	link := newLink(t, Path{Delay: time.Hour})
	c := dial(t, serve(t, link, func(c *net.TCPConn) { io.ReadAll(c) }))
	c.Write([]byte("x"))
	for link.Now() < time.Hour { // until the link has accepted it
		link.mu.Lock()
		n := len(link.connections)
		link.mu.Unlock()
		if n > 0 {
			break
		}
		time.Sleep(ms)
	}
	if err := link.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client has %v", err)
	}
	if _, err := link.To("127.0.0.1:1"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed link: %v", err)
	}
}

// An alarm never wakes early.
func TestLinkAlarm(t *testing.T) {
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{-1, 0, 1, 300 * time.Microsecond, 2500 * time.Microsecond} {
		begin := time.Now()
		if a.wait(d); time.Since(begin) < d {
			t.Errorf("%v became %v", d, time.Since(begin))
		}
	}
	done := make(chan struct{})
	go func() {
		a.wait(time.Hour)
		close(done)
	}()
	a.close()
	<-done
}

// BenchmarkAlarm reports how late an alarm wakes. That is the error of a path's delay.
func BenchmarkAlarm(b *testing.B) {
	for _, d := range []time.Duration{2500 * time.Microsecond, 25 * ms} {
		b.Run(d.String(), func(b *testing.B) {
			a, err := newAlarm()
			if err != nil {
				b.Fatal(err)
			}
			defer a.close()
			var late []time.Duration
			for b.Loop() {
				begin := time.Now()
				a.wait(d)
				late = append(late, time.Since(begin)-d)
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2].Microseconds()), "µs-late/median")
			b.ReportMetric(float64(late[len(late)*9/10].Microseconds()), "µs-late/p90")
		})
	}
}

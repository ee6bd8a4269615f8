package registry_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// Bounds of what a client has in flight to one host.
const (
	mostRequests    = 64
	mostConnections = 16
)

// A popular server answers many requests at once, and counts them.
type popular struct {
	*httptest.Server
	host string

	connections, requests level
	asked                 atomic.Int64
}

// A level goes up and down.
type level struct{ now, most atomic.Int64 }

func (l *level) up() {
	for now := l.now.Add(1); ; {
		most := l.most.Load()
		if now <= most || l.most.CompareAndSwap(most, now) {
			return
		}
	}
}

func (l *level) down() { l.now.Add(-1) }

// servePopular starts a server, over HTTP/2 with so many streams a connection; 0 is HTTP/1.1.
func servePopular(t *testing.T, streams int, answer http.HandlerFunc) *popular {
	t.Helper()
	p := &popular{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		p.requests.up()
		defer p.requests.down()
		answer(w, r)
	}))
	_, cert := identity()
	p.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	p.EnableHTTP2 = streams > 0
	p.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: streams}
	p.Config.ErrorLog = silent()
	p.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			p.connections.up()
		case http.StateClosed, http.StateHijacked:
			p.connections.down()
		}
	}
	p.StartTLS()
	t.Cleanup(p.Close)
	p.host = strings.TrimPrefix(p.URL, "https://")
	return p
}

// trusting returns a transport that trusts the servers of these tests, with settings of set.
func trusting(t *testing.T, set func(*http.Transport)) *http.Transport {
	t.Helper()
	ca, _ := identity()
	tr := ca.Transport(true)
	if set != nil {
		set(tr)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// blob is the i-th blob.
func blob(i, size int) []byte {
	return bytes.Repeat([]byte(strconv.Itoa(i)+" "), size)[:size]
}

// serveBlobs answers with the blobs of a crowd.
func serveBlobs(n, size int) http.HandlerFunc {
	blobs := map[string][]byte{}
	for i := range n {
		b := blob(i, size)
		blobs[string(ociref.DigestOf(b))] = b
	}
	return func(w http.ResponseWriter, r *http.Request) {
		_, digest, ok := strings.Cut(r.URL.Path, "/blobs/")
		if ok {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Write(blobs[digest])
		}
	}
}

// ref is the reference of all blobs.
func (p *popular) ref() ociref.Reference {
	return ociref.Reference{Registry: p.host, Repository: repository}
}

func contentOf(b []byte) verified.Content {
	return verified.Content{Digest: ociref.DigestOf(b), Size: int64(len(b))}
}

// ask asks for n blobs at once, and returns the errors.
func (p *popular) ask(t *testing.T, c *registry.Client, n, size int) error {
	t.Helper()
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			errs[i] = c.Blob(t.Context(), p.ref(), contentOf(blob(i, size)), discard, nil)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// wantBounds wants that no more was in flight than is allowed.
func (p *popular) wantBounds(t *testing.T, connections int64) {
	t.Helper()
	if r, c := p.requests.most.Load(), p.connections.most.Load(); r > mostRequests || c > connections {
		t.Errorf("%d requests and %d connections at once, want at most %d and %d", r, c, mostRequests, connections)
	}
}

// Whatever the server and the program's transport are like, everything arrives within the bounds,
// without a try.
func TestFault68_Crowd(t *testing.T) {
	t.Parallel()
	withDialer := func(protocols ...string) func(*http.Transport) {
		return func(tr *http.Transport) {
			tr.DialTLSContext = (&tls.Dialer{Config: &tls.Config{RootCAs: tr.TLSClientConfig.RootCAs, NextProtos: protocols}}).DialContext
		}
	}
	for name, set := range map[string]func(*http.Transport){
		"as it is":          nil,
		"one connection":    func(tr *http.Transport) { tr.MaxConnsPerHost = 1 },
		"six connections":   func(tr *http.Transport) { tr.MaxConnsPerHost = 6 },
		"no keep-alive":     func(tr *http.Transport) { tr.DisableKeepAlives = true },
		"HTTP/2 is forced":  func(tr *http.Transport) { tr.Protocols, tr.ForceAttemptHTTP2 = nil, true },
		"protocols not set": func(tr *http.Transport) { tr.Protocols = nil },
		"dialer":            withDialer(),
		"dialer for HTTP/2": withDialer("h2", "http/1.1"),
	} {
		for _, streams := range []int{0, 1, 250} { // of a connection over HTTP/2
			for _, size := range []int{100, 200 << 10} {
				t.Run(fmt.Sprintf("%s, %d streams, %d bytes", name, streams, size), func(t *testing.T) {
					p := servePopular(t, streams, serveBlobs(100, size))
					var w waits
					o := w.options()
					o.Transport = trusting(t, set)
					if err := p.ask(t, registry.New(o), 100, size); err != nil {
						t.Error(err)
					}
					w.want(t, 0, 0)
					connections := int64(mostConnections)
					if streams == 1 || name == "no keep-alive" { // net/http counts them when they are of no use any more
						connections *= 2
					}
					p.wantBounds(t, connections)
					if got := p.asked.Load(); got != 101 {
						t.Errorf("%d requests, want 101", got)
					}
				})
			}
		}
	}
}

// A host that is slow holds up no other.
func TestCrowdOfHosts(t *testing.T) {
	t.Parallel()
	c := registry.New(registry.Options{Transport: trusting(t, nil), Sleep: soon})
	slow, release := make(chan struct{}, mostRequests), make(chan struct{})
	stuck := servePopular(t, 250, func(_ http.ResponseWriter, r *http.Request) {
		if isBlob(r) {
			slow <- struct{}{}
			<-release
		}
	})
	held := ended(func() error { return stuck.ask(t, c, mostRequests+1, 100) })
	for range mostRequests {
		<-slow
	}
	var group sync.WaitGroup
	for i := range 65 {
		p := servePopular(t, i%2, serveBlobs(3, 100))
		group.Go(func() {
			if err := p.ask(t, c, 3, 100); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	close(release)
	if err := <-held; err == nil {
		t.Error("a blob without bytes is right")
	}
}

// A host that dies among many requests ends them all as it ends one: after five tries each, and
// without many more dials. No other test runs at the same time: its server might get the port
// that is free then.
func TestCrowdDead(t *testing.T) {
	for _, streams := range []int{0, 250} {
		const n, alive = 60, 20
		blobs := serveBlobs(n, 100)
		var seen, dials atomic.Int64
		var p *popular
		p = servePopular(t, streams, func(w http.ResponseWriter, r *http.Request) {
			if seen.Add(1) > alive {
				p.Config.Close()
			} else {
				blobs(w, r)
			}
		})
		tr := trusting(t, func(tr *http.Transport) {
			tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				return new(net.Dialer).DialContext(ctx, network, address)
			}
		})
		err := p.ask(t, registry.New(registry.Options{Transport: tr, Sleep: soon}), n, 100)
		if err == nil {
			t.Fatal("all blobs came")
		}
		texts := strings.Split(err.Error(), "\n")
		for _, text := range texts {
			if !strings.HasSuffix(text, ": connection refused"+afterTries) {
				t.Errorf("error %q", text)
			}
		}
		if got := dials.Load(); got > 6*n {
			t.Errorf("%d dials for %d errors", got, len(texts))
		}
	}
}

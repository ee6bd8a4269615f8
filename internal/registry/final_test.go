package registry_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// Concurrent callers share the failure of a token endpoint: it gets as many requests as
// from one caller.
func TestFault09_TokenEndpointInTroubleForAll(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{Token: true})
	b.reg.Inject(fault.Status("/token", http.StatusServiceUnavailable, nil))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := b.manifest()
			if want := "GET " + b.reg.URL() + "/token: 503 Service Unavailable"; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), afterTries) {
				t.Errorf("got %v, want %s…%s", err, want, afterTries)
			}
		})
	}
	all.Wait()
	if n := countExactly(b.reg, "/token"); n != 5 {
		t.Errorf("%d requests for a token, want 5", n)
	}
}

// A request that is invalid once stays invalid.
func TestFault09_WhatCannotBeSentIsNotRetried(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ to, want string }{
		"no host": {"https:///x", "sent to a URL without a host"},
		"no port": {"https://127.0.0.1:99999/x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				var w waits
				b.use(t, w.options())
				b.reg.Inject(fault.Redirect(path+"$", test.to))
				err := call()
				e := as[*registry.Error](t, err)
				if e.Tries != 0 || !strings.HasSuffix(err.Error(), test.want) || strings.HasSuffix(err.Error(), ": ") {
					t.Errorf("got %q, %d tries", err, e.Tries)
				}
				w.want(t, 0, 0)
				if n := countExactly(b.reg, path); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
			})
		})
	}
}

// Statuses beyond 599 are none that anybody knows to pass.
func TestFault09_UnknownStatusIsNotRetried(t *testing.T) {
	t.Parallel()
	for _, status := range []int{600, 999} {
		b := newFixture(t, packtest.Options{})
		var w waits
		b.use(t, w.options())
		b.reg.Inject(fault.ErrorBody(b.manifestPath(), status, nil))
		wantText(t, b.manifest(), fmt.Sprintf("GET %s%s: %d", b.reg.URL(), b.manifestPath(), status))
		w.want(t, 0, 0)
		wantRequests(t, b.reg, "GET /v2/", "GET "+b.manifestPath())
	}
}

// A token of the user's that cannot stand in a header is not tried, nor shown.
func TestFault09_RegistryTokenThatIsNone(t *testing.T) {
	t.Parallel()
	b := newFixture(t, private(packtest.Options{Token: true}))
	var w waits
	o := w.options()
	o.Keychain = b.holding(credentials.Credentials{RegistryToken: "s3cret\nX-Injected: 1", Source: good().Source})
	b.use(t, o)
	err := b.manifest()
	as[*registry.Error](t, err)
	wantHarmless(t, err)
	if !strings.Contains(err.Error(), "what is said to be a token is none") {
		t.Errorf("got %q", err)
	}
	w.want(t, 0, 0)
	wantShown(t, b.reg, "GET /v2/", "GET /token")
}

// A server that ends every HTTP/2 connection has net/http dial anew without a
// pause, behind our back.
func TestFault09_EveryConnectionCloses(t *testing.T) {
	t.Parallel()
	_, cert := identity()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	over := make(chan struct{})
	t.Cleanup(func() { close(over); l.Close(); all.Wait() })
	var taken atomic.Int64
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			taken.Add(1)
			all.Go(func() { goAway(conn) })
			all.Go(func() { <-over; conn.Close() }) // the last one may be kept idle
		}
	})
	b := newFixture(t, packtest.Options{HTTP2: true})
	var w waits
	o := w.options()
	o.Stall = patience
	b.use(t, o)
	ref := b.byTag()
	ref.Registry = l.Addr().String()
	_, err = b.client.Manifest(t.Context(), ref)
	if want := "GET https://" + ref.Registry + "/v2/: the server takes no request"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if n, tries := taken.Load(), int64(len(w.slept)+1); n > 3*tries {
		t.Errorf("%d connections in %d tries", n, tries)
	}
}

// goAway answers the first request of an HTTP/2 connection with GOAWAY: no error,
// no stream of it was looked at. https://www.rfc-editor.org/rfc/rfc9113#section-6.8
func goAway(conn net.Conn) {
	defer conn.Close()
	conn.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00")) // SETTINGS
	if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
		return
	}
	for header := make([]byte, 9); header[3] != 1; { // HEADERS
		if _, err := io.ReadFull(conn, header); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(header)>>8)); err != nil {
			return
		}
	}
	conn.Write([]byte("\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	io.CopyN(io.Discard, conn, 9) // what is acknowledged has been read
}

// A transport may make its TLS connections itself: they are looked at like others.
func TestFault11_DialTLSContext(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"127.0.0.1": ": sent to a name with the local address 127.0.0.1", "169.254.169.254": ": sent to a name with the local address 169.254.169.254", "203.0.113.10": "",
	} {
		t.Run(at, func(t *testing.T) {
			b, victim := newFixture(t, packtest.Options{}), start(t, packtest.Options{})
			w := &wire{places: map[string]place{"registry.example:443": {b.reg.Host(), somewhere}, "cdn.example:443": {victim.Host(), at}}}
			b.use(t, registry.Options{Transport: w.overTLS(b.reg.Transport())})
			b.reg.Inject(fault.Redirect(b.manifestPath(), "https://cdn.example/x"))
			_, err := b.client.Manifest(t.Context(), b.named())
			if want == "" {
				wantRequests(t, victim, "GET /x")
				return
			}
			wantText(t, err, "GET https://registry.example"+b.manifestPath()+want)
			wantRequests(t, victim)
		})
	}
}

// overTLS is over by a transport that makes TLS connections itself.
func (w *wire) overTLS(t *http.Transport) *http.Transport {
	config := t.TLSClientConfig.Clone()
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := w.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		named := config.Clone()
		named.ServerName, _, _ = net.SplitHostPort(address)
		return tls.Client(conn, named), nil
	}
	return t
}

// A name below localhost is no address of this machine: resolvers ask DNS for it.
func TestFault14c_SubdomainOfLocalhost(t *testing.T) {
	t.Parallel()
	const name = "reg.localhost:5000"
	for _, at := range []string{"127.0.0.1", somewhere} {
		b := newFixture(t, private(packtest.Options{Plain: true}))
		keys := &keychain{has: map[string]credentials.Credentials{name: good()}}
		b.moved(t, somewhere, map[string]place{name: {b.reg.Host(), at}}, registry.Options{Keychain: keys, Insecure: []string{name}})
		ref := ociref.Reference{Registry: name, Repository: repository, Tag: "1.0"}
		_, err := b.client.Manifest(t.Context(), ref)
		wantText(t, err, "GET http://"+name+b.manifestPath()+
			": 401 Unauthorized: UNAUTHORIZED: authentication required; credentials are not sent over plain HTTP")
		wantShown(t, b.reg, "GET /v2/", "GET "+b.manifestPath())
	}
}

// The documented default.
func TestFault07_DefaultStall(t *testing.T) {
	if registry.DefaultStall != time.Minute {
		t.Errorf("DefaultStall is %s", registry.DefaultStall)
	}
}

package registry_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// A proxy connects its clients to servers that it knows by host:port, and
// remembers what it was asked for.
type proxy struct {
	address string
	servers map[string]string
	status  int // of every answer; 0 connects

	mu    sync.Mutex
	asked []string
}

func startProxy(t *testing.T, p *proxy) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: p, ErrorLog: silent()}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	p.address = l.Addr().String()
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	if p.status != 0 {
		w.WriteHeader(p.status)
		return
	}
	packtest.Tunnel(w, p.servers[r.Host])
}

func (p *proxy) targets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// behind gives b a client that goes through the proxy at address.
func (b *fixture) behind(t *testing.T, scheme, address string, o registry.Options) {
	t.Helper()
	transport := b.reg.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: scheme, Host: address, User: url.UserPassword("s3cret-user", "s3cret-password")})
	o.Transport = transport
	b.use(t, o)
}

// The proxy's own address is nobody's business, and what names lead to is the
// proxy's: here it is all on this machine.
func TestFault11_BehindAProxy(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{Token: true}, func(t *testing.T, b *fixture) {
		store := start(t, packtest.Options{})
		store.PutBlob(repository, b.data)
		p := startProxy(t, &proxy{servers: map[string]string{"registry.example:443": b.reg.Host(), "cdn.example:443": store.Host()}})
		b.behind(t, "http", p.address, registry.Options{})
		b.reg.Inject(fault.RedirectBlob("", "https://cdn.example"+b.blobPath()))
		if err := b.pull(); err != nil {
			t.Fatal(err)
		}
		if got, want := p.targets(), []string{"CONNECT registry.example:443", "CONNECT cdn.example:443"}; !slices.Equal(got, want) {
			t.Errorf("the proxy was asked for %q, want %q", got, want)
		}
	})
}

// A proxy would take one to whatever a literal names: it is not even asked.
func TestFault11_LiteralsBehindAProxy(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"127.0.0.1", "127.1", "0x7f.1", "2130706433", "localhost", "[::1]", "169.254.169.254", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]",
		"metadata.google.internal", "[fd00:ec2::254]", "100.100.100.200", "10.0.0.1", "100.64.0.1",
	} {
		t.Run(host, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			p := startProxy(t, &proxy{servers: map[string]string{"registry.example:443": b.reg.Host()}})
			b.behind(t, "http", p.address, registry.Options{})
			b.reg.Inject(fault.RedirectBlob("", "https://"+host+"/x?s3cret"))
			wantText(t, b.pull(), "GET https://registry.example"+b.blobPath()+": redirected to a local address")

			b.reg.Inject(fault.Status("/v2/$", http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Bearer realm="https://` + host + `/token"`}}))
			b.behind(t, "http", p.address, registry.Options{})
			wantText(t, b.pull(), "GET https://registry.example/v2/: names a token endpoint with a local address")
			if got := p.targets(); slices.ContainsFunc(got, func(s string) bool { return s != "CONNECT registry.example:443" }) {
				t.Errorf("the proxy was asked for %q", got)
			}
		})
	}
}

// A password for a proxy stands in its URL, and no message shows it.
func TestFault10_ProxyFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		tries  int
		want   string
	}{
		"login":       {407, 1, "the proxy answered 407 Proxy Authentication Required"},
		"forbidden":   {403, 1, "the proxy answered 403 Forbidden"},
		"not found":   {404, 1, "the proxy answered 404 Not Found"},
		"bad gateway": {502, 5, "the proxy answered 502 Bad Gateway" + afterTries},
		"limited":     {429, 5, "the proxy answered 429 Too Many Requests" + afterTries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			p := startProxy(t, &proxy{status: test.status})
			b.behind(t, "http", p.address, registry.Options{})
			err := b.pull()
			as[*registry.Error](t, err)
			wantText(t, err, "GET https://registry.example/v2/: "+test.want)
			wantHarmless(t, err)
			if n := len(p.targets()); n != test.tries {
				t.Errorf("%d requests of the proxy, want %d", n, test.tries)
			}
		})
	}
}

func TestFault10_ProxyIsNotThere(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	plain := startProxy(t, &proxy{})
	gone := start(t, packtest.Options{})
	gone.Stop()
	for name, test := range map[string]struct{ scheme, address string }{
		"refused":               {"http", gone.Host()},
		"refused, over TLS":     {"https", gone.Host()},
		"speaks no TLS":         {"https", plain.address},
		"certificate is no one": {"https", b.reg.Host()},
		"socks":                 {"socks5", plain.address},
		"unknown":               {"gopher", plain.address},
	} {
		t.Run(name, func(t *testing.T) {
			b.behind(t, test.scheme, test.address, registry.Options{Stall: stall})
			_, err := b.client.Manifest(context.Background(), b.named())
			as[*registry.Error](t, err)
			wantHarmless(t, err)
			if !strings.HasPrefix(err.Error(), "GET https://registry.example/v2/: ") {
				t.Errorf("got %q", err)
			}
		})
	}
}

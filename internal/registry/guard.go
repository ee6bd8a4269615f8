package registry

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxHops bounds how often one request is redirected.
const maxHops = 10

// DefaultStall is how long a registry may keep a request waiting without a
// sign of life.
const DefaultStall = 60 * time.Second

// maxHeader bounds a response's header, in bytes.
const maxHeader = 1 << 20

// NewTransport returns the transport used by default: the system's trust and
// proxies, no compression (what is hashed is what was sent), and HTTP/1.1.
//
// HTTP/2 would send all packs that are fetched at once over one connection, whose
// one lost segment holds up all of them, and cuts them into frames, at a cost that
// shows: https://github.com/golang/go/issues/47840. Its streams save round trips
// where requests are many and small, and wait for each other; here there are two a
// pack. Of the connections that HTTP/1.1 takes instead, all but the first resume its
// TLS session.
func NewTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		Protocols:              &protocols,
		TLSClientConfig:        &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    64,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    15 * time.Second,
	}
}

// A guard lets pass only requests that may be sent: HTTPS, or plain HTTP to a
// host that is listed for it, and not from a registry to what it cannot reach
// itself. Every request goes through it, those that go-containerregistry and
// redirects make included.
type guard struct {
	transports *transports
	insecure   []string
	userAgent  string
	stall      time.Duration
	underway   func(host string, n int) // nil: nobody wants to know
}

// errPlainHTTP refuses a first request over plain HTTP, as a token endpoint that
// a challenge names may want.
const errPlainHTTP = refusal("plain HTTP is not used: the host is not listed as insecure")

// errScheme refuses what is not even that.
const errScheme = refusal("only HTTPS is used")

// errNoHost refuses what is nowhere.
const errNoHost = refusal("sent to a URL without a host")

// errLocalTarget refuses what a registry elsewhere has no business to send one
// to: the own machine, a private network, a cloud's metadata service.
const errLocalTarget = refusal("redirected to a local address")

// errLocalRealm refuses a token endpoint for the same reason.
const errLocalRealm = refusal("names a token endpoint with a local address")

type registryKey struct{}

// withRegistry marks the requests that are made because of the registry at u.
func withRegistry(ctx context.Context, u *url.URL) context.Context {
	return context.WithValue(ctx, registryKey{}, u)
}

// registryOf returns the registry because of which req is made.
func registryOf(req *http.Request) *url.URL {
	if u, ok := req.Context().Value(registryKey{}).(*url.URL); ok {
		return u
	}
	return req.URL
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.check(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	// Set by us, it keeps any transport from asking for compression by itself,
	// and from undoing it unseen: what is hashed is what was sent.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Del("Referer") // which may be a signed address
	if g.userAgent != "" {
		req.Header.Set("User-Agent", g.userAgent)
	}
	over := g.track(req.URL.Host)
	transport := g.transports.pick(req, registryOf(req))
	resp, err := watched(transport, req, g.stall, func() { g.transports.renew(transport) })
	if err != nil {
		over()
		return nil, asTransient(err)
	}
	resp.Request = req // by which the next hop knows that it is one
	resp.Body = &underway{resp.Body, over}
	return resp, nil
}

// track tells that a request is sent; over, that its answer is over.
func (g *guard) track(host string) (over func()) {
	if g.underway == nil {
		return func() {}
	}
	g.underway(host, 1)
	return sync.OnceFunc(func() { g.underway(host, -1) })
}

// An underway body tells when nobody waits for it any more.
type underway struct {
	io.ReadCloser
	over func()
}

func (u *underway) Close() error {
	u.over()
	return u.ReadCloser.Close()
}

func (g *guard) check(req *http.Request) error {
	if req.URL.Hostname() == "" {
		return errNoHost
	}
	if err := g.checkTarget(req); err != nil {
		return err
	}
	from := redirectedFrom(req)
	plain := req.URL.Scheme == "http"
	switch listed := isListed(g.insecure, req.URL.Host); {
	case req.URL.Scheme == "https":
		return nil
	case plain && listed && (from == nil || from.URL.Scheme == "http"):
		return nil
	case from == nil && plain:
		return errPlainHTTP
	case from == nil:
		return errScheme
	}
	e := &ProtocolError{
		Subject: from.Method + " " + redacted(from.URL),
		Reason:  fmt.Sprintf("redirected away from HTTPS (%s)", redacted(req.URL)),
	}
	if plain {
		e.Reason = fmt.Sprintf("redirected to plain HTTP (%s)", redacted(req.URL))
	}
	return e
}

// checkTarget refuses what only this machine or its network can reach, where
// the address or the name says so; the transports look at what a name turns out to be.
func (g *guard) checkTarget(req *http.Request) error {
	registry := registryOf(req)
	switch {
	case hostOf(req.URL) == hostOf(registry), zoneOfHost(req.URL.Host) <= g.transports.zoneOfRegistry(registry):
		return nil
	case redirectedFrom(req) == nil:
		return errLocalRealm
	}
	return errLocalTarget
}

// redirectedFrom returns the request whose response sent req here, nil if req
// is a first request.
func redirectedFrom(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

func checkRedirect(_ *http.Request, via []*http.Request) error {
	if len(via) > maxHops {
		return errRedirects
	}
	return nil
}

// errRedirects ends a chain of redirects.
var errRedirects = refusal(fmt.Sprintf("stopped after %d redirects", maxHops))

// An authorized transport adds an Authorization header to the requests that go
// to the host that is to see it, and takes care that no other does.
type authorized struct {
	base         http.RoundTripper
	scheme, host string // as in the URLs of requests
	header       string // "" adds none
}

func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.header != "" && req.URL.Scheme == a.scheme && req.URL.Host == a.host {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", a.header)
	}
	return a.base.RoundTrip(req)
}

func isListed(hosts []string, host string) bool {
	for _, h := range hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

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

// maxHops bounds the redirects of one request.
const maxHops = 10

// DefaultStall is the time in which a request must make progress.
const DefaultStall = 60 * time.Second

// maxHeader bounds a response's header, in bytes.
const maxHeader = 1 << 20

// NewTransport returns the default transport: the system's trust and proxies, no
// compression (the bytes to hash are the bytes sent), and HTTP/1.1.
//
// HTTP/2 would send all concurrent downloads over one connection. One lost segment
// holds up all of them, and its frames cost time:
// https://github.com/golang/go/issues/47840. Its streams save round trips where
// requests are many and small; here there are two a pack. HTTP/1.1 takes several
// connections; all but the first resume the TLS session.
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

// A guard sends only permitted requests: HTTPS, or plain HTTP to a host that is listed
// for it; and from a registry only to addresses that the registry itself may reach.
// Every request passes it, including those of go-containerregistry and of redirects.
type guard struct {
	transports *transports
	insecure   []string
	userAgent  string
	stall      time.Duration
	underway   func(host string, n int) // may be nil
}

// errPlainHTTP refuses a first request over plain HTTP, for example to a token endpoint
// that a challenge names.
const errPlainHTTP = refusal("plain HTTP is not used: the host is not listed as insecure")

// errScheme refuses any other scheme.
const errScheme = refusal("only HTTPS is used")

// errNoHost refuses a URL without a host.
const errNoHost = refusal("sent to a URL without a host")

// errLocalTarget refuses a redirect from a remote registry to this machine, a private
// network or a cloud's metadata service.
const errLocalTarget = refusal("redirected to a local address")

// errLocalRealm refuses a token endpoint for the same reason.
const errLocalRealm = refusal("names a token endpoint with a local address")

type registryKey struct{}

// withRegistry marks the requests that serve the registry at u.
func withRegistry(ctx context.Context, u *url.URL) context.Context {
	return context.WithValue(ctx, registryKey{}, u)
}

// registryOf returns the registry that req serves.
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
	// This header keeps every transport from asking for compression, and from undoing
	// it unseen: the bytes to hash are the bytes sent.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Del("Referer") // it may hold a signed URL
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
	resp.Request = req // the next hop recognizes a redirect by it
	resp.Body = &underway{resp.Body, over}
	return resp, nil
}

// track reports a request that is sent; over reports that its response is finished.
func (g *guard) track(host string) (over func()) {
	if g.underway == nil {
		return func() {}
	}
	g.underway(host, 1)
	return sync.OnceFunc(func() { g.underway(host, -1) })
}

// An underway body reports when it is closed.
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

// checkTarget refuses local targets that the address or the name gives away; the
// transports check the addresses that names resolve to.
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

// redirectedFrom returns the request whose response redirected to req, nil if req is a
// first request.
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

// An authorized transport adds an Authorization header to the requests to one host, and
// to no others.
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

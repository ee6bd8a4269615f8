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
// compression (the bytes to hash are the bytes sent), and HTTP/2 where a host speaks it. A
// lane chooses what goes over which connection; all but the first resume the TLS session.
func NewTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		Protocols:              &protocols,
		TLSClientConfig:        &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    maxRequests,
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
	// waitForTurn is that of core.
	waitForTurn func(context.Context, *Error) error
	lanes       lanes
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

// errMirrorTarget refuses a mirror that nobody can mean.
const errMirrorTarget = refusal("a mirror has no link-local address, and none of cloud metadata")

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
	for {
		resp, busy, err := g.send(req)
		if busy == nil {
			return resp, err
		}
		if err := g.waitForTurn(req.Context(), busy.refusal); err != nil {
			return nil, err
		}
		if req, err = renewed(req); err != nil {
			return nil, err
		}
	}
}

// Busy is a host that refused a request because others were in flight. The request is to be
// sent again.
type busy struct {
	refusal *Error // its answer; nil if it refused a connection
}

// send sends a request once.
func (g *guard) send(req *http.Request) (*http.Response, *busy, error) {
	p, err := g.lanes.to(req.URL).enter(req.Context(), bodySize(req))
	if err != nil {
		return nil, nil, asTransient(err)
	}
	over := g.track(req.URL.Host, p)
	transport := g.transports.pick(req, registryOf(req), p.shared)
	resp, err := watched(transport, p.traced(req), g.stall, func() { g.transports.renew(transport) })
	if err != nil {
		defer over()
		if !isFinal(err) && req.Context().Err() == nil && isRepeatable(req) && p.crowdedOut(err) {
			return nil, &busy{}, nil
		}
		return nil, nil, asTransient(err)
	}
	resp.Request = req // the next hop recognizes a redirect by it
	resp.Body = &underway{resp.Body, over}
	switch {
	case resp.StatusCode != http.StatusTooManyRequests:
		p.answered(resp)
	case mayComeAgain(req, resp) && p.permit.Refused():
		defer resp.Body.Close()
		return nil, &busy{newStatusError(req, resp).withoutEcho()}, nil
	}
	return resp, nil, nil
}

// mayComeAgain tells whether a request that a busy host refused may be sent to it again: not if
// the host asks for a long pause, or for any pause and another registry can be asked instead.
func mayComeAgain(req *http.Request, resp *http.Response) bool {
	pause := retryAfter(resp.Header, time.Now())
	return isRepeatable(req) && pause <= maxRetryAfter && (pause <= 0 || !mirrorOf(req.Context()).isAskedOnce())
}

// isRepeatable tells whether a request can be sent again.
func isRepeatable(req *http.Request) bool { return req.Body == nil || req.GetBody != nil }

// renewed returns a request to be sent again.
func renewed(req *http.Request) (*http.Request, error) {
	if req.Body == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body = body
	return req, nil
}

// track reports a request that is sent; over reports that its response is finished, and
// ends its passage.
func (g *guard) track(host string, p *passage) (over func()) {
	if g.underway == nil {
		return p.leave
	}
	g.underway(host, 1)
	return sync.OnceFunc(func() {
		g.underway(host, -1)
		p.leave()
	})
}

// An underway body reports when it has ended, or is closed.
type underway struct {
	io.ReadCloser
	over func()
}

func (u *underway) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil {
		u.over()
	}
	return n, err
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
	case mirrorOf(req.Context()) != nil && zoneOfHost(registry.Host) == linkLocal:
		return errMirrorTarget
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

package registry

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxHops bounds how often one request is redirected.
const maxHops = 10

// NewTransport returns the transport used by default: the system's trust and
// proxies, no compression (what is hashed is what was sent), and no wait
// without end before a response begins.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// A guard lets pass only requests that may be sent: HTTPS, or plain HTTP to a
// host that is listed for it. Every request goes through it, those that
// go-containerregistry and redirects make included.
type guard struct {
	base      http.RoundTripper
	insecure  []string
	userAgent string
}

// errPlainHTTP refuses a first request over plain HTTP, as a token endpoint that
// a challenge names may want.
var errPlainHTTP = errors.New("plain HTTP is not used: the host is not listed as insecure")

// errLocalTarget refuses what a registry elsewhere has no business to send one
// to: the own machine, a private network, a cloud's metadata service.
var errLocalTarget = errors.New("redirected to a local address")

// errLocalRealm refuses a token endpoint for the same reason.
var errLocalRealm = errors.New("names a token endpoint with a local address")

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
	if g.userAgent != "" {
		req.Header.Set("User-Agent", g.userAgent)
	}
	resp, err := g.base.RoundTrip(req)
	if resp != nil && resp.Request == nil {
		resp.Request = req // by which the next hop knows that it is one
	}
	return resp, err
}

func (g *guard) check(req *http.Request) error {
	from := redirectedFrom(req)
	if from != nil && isLocal(req.URL.Host) && !isLocal(firstRequest(req).URL.Host) {
		return errLocalTarget
	}
	switch listed := isListed(g.insecure, req.URL.Host); {
	case req.URL.Scheme == "https":
		return nil
	case from == nil && listed:
		return nil
	case from == nil:
		return errPlainHTTP
	case listed && from.URL.Scheme == "http":
		return nil
	}
	return &ProtocolError{
		Subject: from.Method + " " + redacted(from.URL),
		Reason:  fmt.Sprintf("redirected to plain HTTP (%s)", redacted(req.URL)),
	}
}

// redirectedFrom returns the request whose response sent req here, nil if req
// is a first request.
func redirectedFrom(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

// firstRequest returns the request that a chain of redirects began with.
func firstRequest(req *http.Request) *http.Request {
	for from := redirectedFrom(req); from != nil; from = redirectedFrom(req) {
		req = from
	}
	return req
}

func checkRedirect(_ *http.Request, via []*http.Request) error {
	if len(via) > maxHops {
		return &redirectsError{}
	}
	return nil
}

// A redirectsError ends a chain of redirects.
type redirectsError struct{}

func (*redirectsError) Error() string { return fmt.Sprintf("stopped after %d redirects", maxHops) }

// A bearer adds a token to the requests that go to the registry that gave it,
// and takes care that no other host sees it.
type bearer struct {
	base         http.RoundTripper
	scheme, host string
	token        string
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.token != "" && req.URL.Scheme == b.scheme && req.URL.Host == b.host {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.base.RoundTrip(req)
}

func isListed(hosts []string, host string) bool {
	for _, h := range hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

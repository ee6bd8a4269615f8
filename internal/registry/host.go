package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/internal/printable"
)

// errForeignChallenge refuses a challenge of another host: the answer is meant for the
// registry alone.
const errForeignChallenge = refusal("redirected to another host, which asks for authentication")

// A host is one registry: its challenge, and the sessions with its repositories.
type host struct {
	name       string // host[:port]
	scheme     string
	transport  http.RoundTripper
	transports *transports
	keychain   Keychain
	retry      func(context.Context, func(context.Context) error) error

	pinged once.Cache[struct{}, *challenge] // nil: the registry needs no authentication

	mu       sync.Mutex
	learned  *challenge          // from a later response than the ping's
	sessions map[string]*session // by repository
}

func (h *host) session(repository string) *session {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sessions[repository]
	if s == nil {
		s = newSession(h, repository)
		h.sessions[repository] = s
	}
	return s
}

func (h *host) url() *url.URL {
	return &url.URL{Scheme: h.scheme, Host: h.name, Path: "/v2/"}
}

// pingRequest returns the ping, for errors.
func (h *host) pingRequest() *http.Request {
	return &http.Request{Method: http.MethodGet, URL: h.url()}
}

// asError makes an Error of an interrupted wait for another caller's result.
func (h *host) asError(err error) error {
	var known *Error
	var protocol *ProtocolError
	if err == nil || errors.As(err, &known) || errors.As(err, &protocol) {
		return err
	}
	return newError(h.pingRequest(), err)
}

// challenge returns the registry's challenge, nil if it needs no authentication. A dead
// registry is asked once, however many packs it has.
func (h *host) challenge(ctx context.Context) (*challenge, error) {
	c, err := h.pinged.Do(ctx, struct{}{}, func(ctx context.Context) (c *challenge, err error) {
		err = h.retry(ctx, func(ctx context.Context) error {
			c, err = h.ping(ctx)
			return err
		})
		return c, err
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if c == nil && err == nil {
		c = h.learned
	}
	return c, h.asError(err)
}

// ping asks the registry how to authenticate; nil is not at all.
func (h *host) ping(ctx context.Context) (*challenge, error) {
	resp, err := h.greet(ctx)
	if err != nil {
		return nil, err
	}
	return h.asked(resp)
}

// greet returns the registry's answer to a ping; its body is read. Of the statuses other
// than 200 and 401 only 429 and 5xx are errors: static hosts do not know /v2/, and the
// request for the manifest tells more.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support
func (h *host) greet(ctx context.Context) (*http.Response, error) {
	req, err := http.NewRequestWithContext(withRegistry(ctx, h.url()), http.MethodGet, h.url().String(), nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: h.transport, CheckRedirect: checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unanswered(newError(req, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		return nil, newStatusError(req, resp)
	}
	io.CopyN(io.Discard, resp.Body, maxErrorBody) // so that the connection is used again
	return resp, nil
}

// asked returns the challenge in the answer to a ping, nil if there is none.
func (h *host) asked(resp *http.Response) (*challenge, error) {
	switch {
	case resp.StatusCode != http.StatusUnauthorized:
		return nil, nil
	case !h.sent(resp):
		return nil, newError(h.pingRequest(), errForeignChallenge)
	}
	return chosenChallenge(resp.Header.Values("WWW-Authenticate")), nil
}

// A request goes to a registry, as often as it takes.
type request struct {
	method string
	url    *url.URL
	accept string // media types
	first  int64  // first byte to send of the body
	size   int64  // bytes of the body, as far as it is known; 0 if it is small
	stays  bool   // do not follow a redirect to another host: it is the answer
}

func (r request) checkRedirect(next *http.Request, via []*http.Request) error {
	if r.stays && (next.URL.Scheme != r.url.Scheme || hostOf(next.URL) != hostOf(r.url)) {
		return http.ErrUseLastResponse
	}
	return checkRedirect(next, via)
}

// do makes one request with that Authorization header.
func (h *host) do(ctx context.Context, r request, authorization string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(withBodySize(withRegistry(ctx, h.url()), r.size), r.method, r.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept)
	if r.first > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", r.first))
	}
	client := http.Client{
		Transport:     &authorized{base: h.transport, host: r.url.Host, scheme: r.url.Scheme, header: authorization},
		CheckRedirect: r.checkRedirect,
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, unanswered(newError(req, err))
	}
	if resp.StatusCode == http.StatusPartialContent && r.first == 0 {
		resp.Body.Close()
		return nil, &ProtocolError{Reason: "the registry sent a part of what was asked for"}
	}
	done := resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent
	if encoding := resp.Header.Get("Content-Encoding"); done && encoding != "" && encoding != "identity" {
		resp.Body.Close()
		return nil, &ProtocolError{Reason: fmt.Sprintf("the registry sent Content-Encoding %s, which was not asked for", printable.Quote(encoding, maxMessage))}
	}
	return resp, nil
}

// sent reports whether a response comes from the registry itself.
func (h *host) sent(resp *http.Response) bool {
	return resp.Request.URL.Scheme == h.scheme && hostOf(resp.Request.URL) == hostOf(h.url())
}

// learn takes the challenge from a 401 of a registry that answered the ping with 200,
// and reports whether an anonymous token may help.
func (h *host) learn(resp *http.Response) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.learned == nil {
		h.learned = chosenChallenge(resp.Header.Values("WWW-Authenticate"))
	}
	return h.learned != nil && h.learned.scheme == "bearer"
}

// IsInsecure reports whether Options.Insecure has a host[:port].
func (c *core) IsInsecure(host string) bool { return isListed(c.insecure, host) }

// newHost returns the host that references call registry.
func (c *core) newHost(registry string) *host {
	h := &host{
		name:       registry,
		scheme:     "https",
		transport:  c.transport,
		transports: c.transports,
		keychain:   c.keychain,
		retry:      c.retry,
		pinged:     once.Cache[struct{}, *challenge]{Passing: isTemporary},
		sessions:   map[string]*session{},
	}
	if c.IsInsecure(registry) {
		h.scheme = "http"
	}
	if registry == "docker.io" {
		h.name = name.DefaultRegistry // Docker Hub's references name another host
	}
	return h
}

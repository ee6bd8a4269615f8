package registry

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// A host is one registry: what it answered when asked how to authenticate, and
// the tokens it gave.
type host struct {
	name      name.Registry
	scheme    string
	transport http.RoundTripper

	mu        sync.Mutex
	pinged    bool
	challenge *transport.Challenge // nil: none needed
	err       error
	tokens    map[string]*tokenOnce // by repository
}

// A tokenOnce is one repository's token, asked for once.
type tokenOnce struct {
	mu    sync.Mutex
	asked bool
	token string
	err   error
}

// token returns the bearer token for pulling from repository, "" if the
// registry asks for none. A failure is kept for as long as the Client lives,
// unless ctx ended it: many packs on one dead registry cost one attempt.
func (h *host) token(ctx context.Context, repository string) (string, error) {
	challenge, err := h.ping(ctx)
	if err != nil {
		return "", err
	}
	if challenge == nil || !strings.EqualFold(challenge.Scheme, "bearer") {
		return "", nil // Basic: anonymous, the registry's 401 says the rest
	}
	h.mu.Lock()
	once := h.tokens[repository]
	if once == nil {
		once = &tokenOnce{}
		h.tokens[repository] = once
	}
	h.mu.Unlock()

	once.mu.Lock()
	defer once.mu.Unlock()
	if !once.asked {
		once.token, once.err = h.exchange(ctx, repository, challenge)
		once.asked = ctx.Err() == nil
	}
	return once.token, once.err
}

func (h *host) ping(ctx context.Context) (*transport.Challenge, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.pinged && h.err == nil {
		challenge, err := transport.Ping(ctx, h.name, h.transport)
		if ctx.Err() != nil {
			return nil, newError(h.pingRequest(), context.Cause(ctx))
		}
		h.pinged = true
		h.challenge, h.err = challenge, h.pingError(err)
	}
	return h.challenge, h.err
}

// pingError forgives answers that only say that the registry does not care for
// /v2/, as static hosts do: the request for the manifest will tell.
func (h *host) pingError(err error) error {
	if err == nil {
		return nil
	}
	var status *transport.Error
	if errors.As(err, &status) && status.StatusCode < 500 && status.StatusCode != http.StatusTooManyRequests {
		return nil
	}
	return exchangeError(h.pingRequest(), err)
}

func (h *host) pingRequest() *http.Request {
	return &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: h.scheme, Host: h.name.RegistryStr(), Path: "/v2/"}}
}

func (h *host) exchange(ctx context.Context, repository string, challenge *transport.Challenge) (string, error) {
	scope := h.name.Repo(repository).Scope(transport.PullScope)
	token, err := transport.Exchange(ctx, h.name, authn.Anonymous, h.transport, []string{scope}, challenge)
	if err != nil {
		req := &http.Request{Method: http.MethodGet, URL: h.pingRequest().URL}
		if realm, parseErr := url.Parse(challenge.Parameters["realm"]); parseErr == nil {
			req.URL = realm
		}
		return "", exchangeError(req, err)
	}
	// Either name is allowed: https://distribution.github.io/distribution/spec/auth/token/
	if token.Token == "" {
		return token.AccessToken, nil
	}
	return token.Token, nil
}

// exchangeError says about req what go-containerregistry says in its own type.
// Its text may quote what a token endpoint answered, which may be a secret.
func exchangeError(req *http.Request, err error) error {
	var status *transport.Error
	var sent *url.Error
	switch {
	case errors.As(err, &sent):
		return newError(req, err)
	case !errors.As(err, &status):
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return newError(req, errors.New(shown(reason)))
	}
	e := &Error{Method: req.Method, URL: redacted(req.URL), Host: req.URL.Host, Status: status.StatusCode}
	if len(status.Errors) > 0 {
		e.Code, e.Message = string(status.Errors[0].Code), status.Errors[0].Message
	}
	return e
}

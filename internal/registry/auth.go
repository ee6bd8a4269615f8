package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// A host is one registry: what it answered when asked how to authenticate, and
// the tokens it gave. Failures are kept for as long as the Client lives: many
// packs on one dead registry cost one attempt.
type host struct {
	name      name.Registry
	err       error // that there is no such host
	scheme    string
	transport http.RoundTripper
	challenge answer[*challenge] // nil: no token is asked for

	mu     sync.Mutex
	tokens map[string]*answer[string] // by repository
}

// token returns the bearer token for pulling from repository, "" if the
// registry asks for none.
func (h *host) token(ctx context.Context, repository string) (string, error) {
	if h.err != nil {
		return "", h.err
	}
	challenge, err := h.challenge.get(ctx, h.ping)
	if err != nil {
		return "", h.passing(err)
	}
	if challenge == nil {
		return "", nil
	}
	h.mu.Lock()
	token := h.tokens[repository]
	if token == nil {
		token = &answer[string]{}
		h.tokens[repository] = token
	}
	h.mu.Unlock()
	value, err := token.get(ctx, func(ctx context.Context) (string, error) {
		return h.exchange(ctx, repository, challenge)
	})
	return value, h.passing(err)
}

// passing makes an Error of the end of a wait for another's answer.
func (h *host) passing(err error) error {
	var known *Error
	var protocol *ProtocolError
	if err == nil || errors.As(err, &known) || errors.As(err, &protocol) {
		return err
	}
	return newError(&http.Request{Method: http.MethodGet, URL: h.pingURL()}, err)
}

func (h *host) pingURL() *url.URL {
	return &url.URL{Scheme: h.scheme, Host: h.name.RegistryStr(), Path: "/v2/"}
}

// ping asks the registry how to authenticate. Of answers other than 200 and
// 401 only those of a registry in trouble count: static hosts do not know
// /v2/, and the request for the manifest will tell more.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support
func (h *host) ping(ctx context.Context) (*challenge, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.pingURL().String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := h.client().Do(req)
	if err != nil {
		return nil, newError(req, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return bearerChallenge(resp.Header.Values("WWW-Authenticate")), nil
	case resp.StatusCode >= 500, resp.StatusCode == http.StatusTooManyRequests:
		return nil, newStatusError(req, resp)
	}
	io.CopyN(io.Discard, resp.Body, maxErrorBody) // so that the connection is used again
	return nil, nil
}

func (h *host) client() *http.Client {
	return &http.Client{Transport: h.transport, CheckRedirect: checkRedirect}
}

// exchange asks for a token, by the library's knowledge of how it is done.
func (h *host) exchange(ctx context.Context, repository string, c *challenge) (string, error) {
	if realm, err := url.Parse(c.parameters["realm"]); err == nil && isLocal(realm.Host) && !isLocal(h.name.RegistryStr()) {
		return "", newError(&http.Request{Method: http.MethodGet, URL: h.pingURL()}, errLocalRealm)
	}
	asked := &transport.Challenge{Scheme: c.scheme, Parameters: c.parameters, Insecure: h.scheme == "http"}
	scope := h.name.Repo(repository).Scope(transport.PullScope)
	token, err := transport.Exchange(ctx, h.name, authn.Anonymous, &exchanger{h.client()}, []string{scope}, asked)
	if err != nil {
		return "", h.exchangeError(c, err)
	}
	// Either name is allowed: https://distribution.github.io/distribution/spec/auth/token/
	if token.Token == "" {
		return token.AccessToken, nil
	}
	return token.Token, nil
}

// exchangeError passes on what the exchanger said. The library's own words may
// quote what a token endpoint answered, which may be a secret, and so only
// their first line up to a quotation is told.
func (h *host) exchangeError(c *challenge, err error) error {
	req := &http.Request{Method: http.MethodGet, URL: h.pingURL()}
	if realm, parseErr := url.Parse(c.parameters["realm"]); parseErr == nil && realm.Host != "" {
		req.URL = realm
	}
	return newError(req, err)
}

// An exchanger sends the library's requests for tokens: it follows redirects
// itself, so that they are followed by our rules, and makes our errors of what
// is no token.
type exchanger struct{ client *http.Client }

func (x *exchanger) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := x.client.Do(req)
	if err != nil {
		err = newError(req, err)
		var e *Error
		if errors.As(err, &e) {
			e.elsewhere = true // a token endpoint is no registry
		}
		return nil, err
	}
	// A token endpoint without POST says 404, and the library then tries GET.
	if resp.StatusCode == http.StatusOK || req.Method == http.MethodPost && resp.StatusCode == http.StatusNotFound {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, newStatusError(req, resp)
}

// firstWords is what can be told of a text that may quote a foreign one.
func firstWords(text string) string {
	for _, mark := range []string{"\n", `"`, "header line:", "://"} {
		text, _, _ = strings.Cut(text, mark)
	}
	return shown(strings.TrimRight(text, " :"))
}

package registry

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/once"
)

// errCredentialsAway keeps a request that holds credentials from being sent to
// another host than the one it was made for.
const errCredentialsAway = refusal("redirected to another host with credentials")

// errPlainCredentials keeps credentials from a token endpoint that has no HTTPS.
const errPlainCredentials = refusal("names a token endpoint without HTTPS, and credentials are not sent there")

// A token is asked for once, until it is worn out.
type token struct {
	values once.Cache[int, string] // by their number

	mu     sync.Mutex
	number int    // of the current value
	value  string // what was handed out last
	proven bool   // a registry has taken value
}

// get returns the token's value, from ask if it is not known.
func (t *token) get(ctx context.Context, ask func(context.Context) (string, error)) (string, error) {
	t.mu.Lock()
	number := t.number
	t.mu.Unlock()
	value, err := t.values.Do(ctx, number, ask)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && t.number == number && t.value != value {
		t.value, t.proven = value, false
	}
	return value, err
}

// prove notes that a registry took the header with the token.
func (t *token) prove(header string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.proven = t.proven || "Bearer "+t.value == header
}

// renew tells whether it helps to get the token again when the header with it
// was refused: it was good before, so it is worn out, or somebody got a new one
// already.
func (t *token) renew(header string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if "Bearer "+t.value != header {
		return true
	}
	if !t.proven {
		return false
	}
	t.number, t.value, t.proven = t.number+1, "", false
	return true
}

// basic is the Authorization header of the user's credentials themselves.
func basic(who *credentials.Credentials) string {
	if who == nil || who.Username == "" && who.Password == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(who.Username+":"+who.Password))
}

// exchange asks the token endpoint of a challenge for a token to pull from repository
// with. The library knows how to ask; docs/design.md says why it needs an exchanger.
func (h *host) exchange(ctx context.Context, repository string, c *challenge, who *credentials.Credentials) (string, error) {
	realm, err := h.realm(c, who)
	if err != nil {
		return "", newError(h.pingRequest(), err)
	}
	// The library lets an endpoint have a local address where it is the registry
	// itself. Our rules know more, and let this one: so it stands for the registry.
	endpoint, _ := name.NewRegistry(realm.Host, name.StrictValidation)
	token, err := transport.Exchange(withRegistry(ctx, h.url()), endpoint, authenticator(who), &exchanger{h.transport},
		[]string{"repository:" + repository + ":" + transport.PullScope},
		&transport.Challenge{Scheme: c.scheme, Parameters: c.parameters, Insecure: h.scheme == "http"})
	if err != nil {
		return "", h.tokenError(realm, err)
	}
	// Either name is allowed: https://distribution.github.io/distribution/spec/auth/token/
	value := cmp.Or(token.Token, token.AccessToken)
	if !isToken(value) {
		return "", h.tokenError(realm, errNoToken)
	}
	return value, nil
}

// realm returns the token endpoint of a challenge, unless nothing may be sent there;
// an empty one if it is no URL, which the library says.
func (h *host) realm(c *challenge, who *credentials.Credentials) (*url.URL, error) {
	realm, err := url.Parse(c.parameters["realm"])
	switch {
	case err != nil:
		return &url.URL{}, nil
	case hostOf(realm) != hostOf(h.url()) && zoneOfHost(realm.Host) > h.transports.zoneOfRegistry(h.url()):
		return nil, errLocalRealm
	case who != nil && realm.Scheme != "https" && !h.transports.isOnThisMachine(realm):
		return nil, errPlainCredentials
	}
	return realm, nil
}

// tokenError is an Error of a token endpoint, which is no registry.
func (h *host) tokenError(realm *url.URL, err error) error {
	req := h.pingRequest()
	if realm.Host != "" {
		req.URL = realm
	}
	err = newError(req, err)
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	told := *e
	told.elsewhere = true
	return &told
}

// errNoToken refuses what cannot stand in a header.
const errNoToken = refusal("what is said to be a token is none")

// isToken tells whether s can stand in an Authorization header. It is allowed
// more than RFC 6750's grammar, which not all registries follow.
func isToken(s string) bool {
	return s != "" && strings.TrimFunc(s, func(r rune) bool { return '!' <= r && r <= '~' }) == ""
}

func authenticator(who *credentials.Credentials) authn.Authenticator {
	if who == nil {
		return authn.Anonymous
	}
	return authn.FromConfig(authn.AuthConfig{Username: who.Username, Password: who.Password, IdentityToken: who.IdentityToken})
}

// An exchanger sends the library's requests for tokens: it follows redirects
// itself, so that they are followed by our rules, and makes our errors of what
// is no token.
type exchanger struct{ base http.RoundTripper }

func (x *exchanger) RoundTrip(req *http.Request) (*http.Response, error) {
	identified := req.Header.Get("Authorization") != "" || req.Method == http.MethodPost
	resp, err := x.client(req).Do(req)
	if err != nil {
		return nil, newError(req, err)
	}
	// A token endpoint without POST says 404, and the library then tries GET.
	if resp.StatusCode == http.StatusOK || req.Method == http.MethodPost && resp.StatusCode == http.StatusNotFound {
		return resp, nil
	}
	defer resp.Body.Close()
	e := newStatusError(req, resp)
	if identified {
		e = e.withoutEcho()
	}
	return nil, e
}

// client returns one that shows the credentials of req, which it takes from it,
// to req's host alone.
func (x *exchanger) client(req *http.Request) *http.Client {
	header := req.Header.Get("Authorization")
	req.Header.Del("Authorization")
	return &http.Client{
		Transport: &authorized{base: x.base, scheme: req.URL.Scheme, host: req.URL.Host, header: header},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if next.Method == http.MethodPost && hostOf(next.URL) != hostOf(req.URL) {
				return errCredentialsAway
			}
			return checkRedirect(next, via)
		},
	}
}

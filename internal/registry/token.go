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

// errCredentialsAway refuses a redirect of a request with credentials to another host.
const errCredentialsAway = refusal("redirected to another host with credentials")

// errPlainCredentials refuses to send credentials to a token endpoint without HTTPS.
const errPlainCredentials = refusal("names a token endpoint without HTTPS, and credentials are not sent there")

// A token is requested once, until it is worn out.
type token struct {
	values once.Cache[int, string] // by their number

	mu     sync.Mutex
	number int    // of the current value
	value  string // the last one handed out
	proven bool   // a registry has accepted value
}

// get returns the token's value; ask requests a missing one.
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

// prove records that a registry accepted the header with the token.
func (t *token) prove(header string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.proven = t.proven || "Bearer "+t.value == header
}

// renew reports whether a new token may help after a registry refused the header: the
// token worked before and is worn out, or another caller has a new one.
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

// basic returns the Authorization header with the user's credentials.
func basic(who *credentials.Credentials) string {
	if who == nil || who.Username == "" && who.Password == "" {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(who.Username+":"+who.Password))
}

// exchange asks the token endpoint of a challenge for a token to pull from repository.
// The library knows how to ask; docs/design.md says why it needs an exchanger.
func (h *host) exchange(ctx context.Context, repository string, c *challenge, who *credentials.Credentials) (string, error) {
	realm, err := h.realm(c, who)
	if err != nil {
		return "", newError(h.pingRequest(), err)
	}
	// The library allows a local address only if it is the registry's own. Our rules
	// know more and allow this one, so it stands in for the registry.
	endpoint, _ := name.NewRegistry(realm.Host, name.StrictValidation)
	token, err := transport.Exchange(withRegistry(ctx, h.url()), endpoint, authenticator(who), &exchanger{h.transport},
		[]string{"repository:" + repository + ":" + transport.PullScope},
		&transport.Challenge{Scheme: c.scheme, Parameters: c.parameters, Insecure: h.scheme == "http"})
	if err != nil {
		return "", h.tokenError(realm, err)
	}
	// Both names are allowed:
	// https://distribution.github.io/distribution/spec/auth/token/
	value := cmp.Or(token.Token, token.AccessToken)
	if !isToken(value) {
		return "", h.tokenError(realm, errNoToken)
	}
	return value, nil
}

// realm returns the token endpoint of a challenge, or an error if nothing may be sent
// there. If it is no URL, realm returns an empty one: the library reports that.
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

// tokenError returns an Error of a token endpoint, which is no registry.
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

// errNoToken refuses a token that cannot stand in a header.
const errNoToken = refusal("what is said to be a token is none")

// isToken reports whether s can stand in an Authorization header. It allows more than
// RFC 6750's grammar, which not all registries follow.
func isToken(s string) bool {
	return s != "" && strings.TrimFunc(s, func(r rune) bool { return '!' <= r && r <= '~' }) == ""
}

func authenticator(who *credentials.Credentials) authn.Authenticator {
	if who == nil {
		return authn.Anonymous
	}
	return authn.FromConfig(authn.AuthConfig{Username: who.Username, Password: who.Password, IdentityToken: who.IdentityToken})
}

// An exchanger sends the library's requests for tokens. It follows redirects itself, by
// our rules, and returns our errors.
type exchanger struct{ base http.RoundTripper }

func (x *exchanger) RoundTrip(req *http.Request) (*http.Response, error) {
	identified := req.Header.Get("Authorization") != "" || req.Method == http.MethodPost
	resp, err := x.client(req).Do(req)
	if err != nil {
		return nil, newError(req, err)
	}
	// A token endpoint without POST answers 404, and the library then tries GET.
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

// client returns a client that shows the credentials of req to req's host alone. It
// removes them from req.
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

// A challenge is a registry's demand for authentication: a scheme and its parameters.
// https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
type challenge struct {
	scheme     string // lower case
	parameters map[string]string
}

// chosenChallenge returns the challenge to answer among WWW-Authenticate headers: the
// first Bearer one, else the first Basic one, else nil.
func chosenChallenge(headers []string) *challenge {
	for _, scheme := range []string{"bearer", "basic"} {
		for _, header := range headers {
			for _, c := range parseChallenges(header) {
				if c.scheme == scheme {
					return c
				}
			}
		}
	}
	return nil
}

// parseChallenges reads one header, which may hold several challenges. It stops at the
// first word that does not follow the grammar.
func parseChallenges(header string) []*challenge {
	var list []*challenge
	var c *challenge
	rest := strings.TrimLeft(header, " ,\t")
	for rest != "" {
		word, after := cutToken(rest)
		if word == "" {
			return list
		}
		value, ok := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		switch {
		case !ok: // a scheme
			c = &challenge{scheme: strings.ToLower(word), parameters: map[string]string{}}
			list = append(list, c)
			rest = skipToken68(strings.TrimLeft(after, " \t"))
		case c == nil:
			return list
		default:
			c.parameters[strings.ToLower(word)], rest = cutValue(strings.TrimLeft(value, " \t"))
		}
		rest = strings.TrimLeft(rest, " ,\t")
	}
	return list
}

// skipToken68 skips a token68, which a scheme may have in place of parameters (RFC
// 9110, section 11.2). A comma or the end follows it.
func skipToken68(s string) string {
	rest := strings.TrimLeft(strings.TrimLeftFunc(s, func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._~+/", r)
	}), "=")
	if end := strings.TrimLeft(rest, " \t"); end == "" || end[0] == ',' {
		return rest
	}
	return s
}

// cutToken splits off a token of RFC 9110, section 5.6.2.
func cutToken(s string) (token, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// cutValue splits off a token or a quoted string.
func cutValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		return cutToken(s)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

package packtest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// access demands nothing, a bearer token as in
// https://distribution.github.io/distribution/spec/auth/token/, or Basic credentials,
// according to Options.
type access struct {
	opts   Options
	tokens *tokens
}

func newAccess(opts Options) *access {
	return &access{opts, newTokens(opts.TokenUses)}
}

// over passes authorized requests to next.
func (a *access) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.opts.Token && r.URL.Path == "/token":
			a.issue(w, r)
		case a.opts.OpenPing && r.URL.Path == "/v2/":
			next.ServeHTTP(w, r)
		case a.opts.Token:
			a.bearer(w, r, next)
		default:
			a.basic(w, r, next)
		}
	})
}

// repositoryOf returns the repository of a request, "" for the version check.
func repositoryOf(r *http.Request) string {
	name, _, _ := Endpoint(strings.Replace(r.URL.Path, "/blobs/uploads/", "/uploads/", 1))
	return name
}

func (a *access) basic(w http.ResponseWriter, r *http.Request, next http.Handler) {
	name := repositoryOf(r)
	closed := a.opts.closed(name) || name == "" && a.opts.User != ""
	switch shown := a.shown(r); {
	case shown == wrong && a.opts.User != "":
		a.demandBasic(w)
	case shown == right || !closed:
		next.ServeHTTP(w, r)
	case name == "":
		a.demandBasic(w)
	default:
		a.refuse(w, a.demandBasic)
	}
}

func (a *access) demandBasic(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="packtest"`)
	unauthorized(w)
}

func (a *access) bearer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	name, header := repositoryOf(r), r.Header.Get("Authorization")
	granted, ok := a.tokens.use(header)
	switch {
	case !ok && header != "":
		a.demandToken(w, r, "invalid_token")
	case !ok:
		a.demandToken(w, r, "")
	case name != "" && !granted.covers(name):
		a.demandToken(w, r, "insufficient_scope")
	case granted.known || !a.opts.closed(name) || name == "":
		next.ServeHTTP(w, r)
	default:
		a.refuse(w, func(w http.ResponseWriter) { a.demandToken(w, r, "insufficient_scope") })
	}
}

// refuse refuses a request without credentials; challenge answers 401.
func (a *access) refuse(w http.ResponseWriter, challenge func(http.ResponseWriter)) {
	switch a.opts.Refusal {
	case RefuseDenied:
		Refuse(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
	case RefuseHidden:
		Refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	case RefuseLimited:
		w.Header().Set("Retry-After", LimitedFor)
		Refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "you have reached your pull rate limit")
	default:
		challenge(w)
	}
}

func unauthorized(w http.ResponseWriter) {
	Refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// demandToken answers 401, with the reason, if any, in the form of
// https://www.rfc-editor.org/rfc/rfc6750#section-3.1.
func (a *access) demandToken(w http.ResponseWriter, r *http.Request, reason string) {
	scheme := "https"
	if a.opts.Plain {
		scheme = "http"
	}
	challenge := fmt.Sprintf("Bearer realm=\"%s://%s/token\",service=%q", scheme, r.Host, r.Host)
	if name := repositoryOf(r); name != "" {
		actions := "pull"
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			actions = "pull,push"
		}
		challenge += fmt.Sprintf(",scope=\"repository:%s:%s\"", name, actions)
	}
	if reason != "" {
		challenge += fmt.Sprintf(",error=%q", reason)
	}
	w.Header().Set("WWW-Authenticate", challenge)
	unauthorized(w)
}

// shown classifies the credentials in a request.
type shown int

const (
	nothing shown = iota
	right
	wrong
)

func (a *access) shown(r *http.Request) shown {
	user, password, ok := r.BasicAuth()
	switch {
	case r.Header.Get("Authorization") == "":
		return nothing
	case ok && a.opts.User != "" && user == a.opts.User && password == a.opts.Password:
		return right
	}
	return wrong
}

// issue answers at /token: https://distribution.github.io/distribution/spec/auth/token/
// for GET and https://distribution.github.io/distribution/spec/auth/oauth/ for POST.
func (a *access) issue(w http.ResponseWriter, r *http.Request) {
	shown := a.shown(r)
	if r.Method == http.MethodPost {
		if a.opts.IdentityToken == "" {
			Refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "method is not supported")
			return
		}
		if shown = wrong; r.PostFormValue("grant_type") == "refresh_token" && r.PostFormValue("refresh_token") == a.opts.IdentityToken {
			shown = right
		}
	}
	granted := grant{known: shown == right, scopes: scopes(r)}
	if shown == wrong {
		unauthorized(w)
		return
	}
	if !granted.known && a.closedAtToken(granted.scopes) {
		a.refuse(w, unauthorized)
		return
	}
	token := a.tokens.issue(granted, a.opts)
	reply := map[string]any{"access_token": token, "expires_in": 300}
	if !a.opts.AccessTokenOnly {
		reply["token"] = token
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(reply)
}

// closedAtToken reports whether anonymous token requests are refused. One without a
// scope is, if nothing is public.
func (a *access) closedAtToken(scopes []Scope) bool {
	if a.opts.Refusal != RefuseUnauthorized && a.opts.Refusal != RefuseDenied {
		return false
	}
	closed := func(s Scope) bool { return a.opts.closed(s.Name) }
	return slices.ContainsFunc(scopes, closed) || len(scopes) == 0 && a.opts.Private == nil && a.opts.closed("")
}

// A Scope names actions on a repository.
type Scope struct {
	Name    string
	Actions []string
}

// scopes returns the scopes of a token request. FormValue does not do: several
// parameters may hold several scopes each.
func scopes(r *http.Request) (found []Scope) {
	r.ParseForm()
	for _, word := range strings.Fields(strings.Join(r.Form["scope"], " ")) {
		if parts := strings.Split(word, ":"); len(parts) == 3 && parts[0] == "repository" {
			found = append(found, Scope{parts[1], strings.Split(parts[2], ",")})
		}
	}
	return found
}

// A grant is the content of a token.
type grant struct {
	known  bool // given for credentials
	scopes []Scope
	used   int
}

func (g grant) covers(name string) bool {
	return slices.ContainsFunc(g.scopes, func(s Scope) bool { return s.Name == name })
}

// allowed returns the granted scopes: all if the user is known or need not be, else
// pulls of public repositories.
func (g grant) allowed(rules Options) []Scope {
	if g.known || !rules.closed("") && rules.Private == nil {
		return g.scopes
	}
	allowed := []Scope{}
	for _, s := range g.scopes {
		if !rules.closed(s.Name) && slices.Contains(s.Actions, "pull") {
			allowed = append(allowed, Scope{s.Name, []string{"pull"}})
		}
	}
	return allowed
}

// tokens remembers the issued tokens. Several goroutines may use it at once.
type tokens struct {
	uses int // per token; 0: no limit

	mu    sync.Mutex
	given map[string]*grant
	sign  func([]Scope) string // nil: a token is only a name
}

func newTokens(uses int) *tokens { return &tokens{uses: uses, given: map[string]*grant{}} }

func (t *tokens) issue(g grant, rules Options) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	token := "packtest-token-" + rand.Text()
	if t.sign != nil {
		token = t.sign(g.allowed(rules))
	}
	t.given[token] = &g
	return token
}

// use looks up the token in an Authorization header, and counts the use.
func (t *tokens) use(header string) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := strings.CutPrefix(header, "Bearer ")
	g := t.given[token]
	if !ok || g == nil || t.uses > 0 && g.used >= t.uses {
		return grant{}, false
	}
	g.used++
	return *g, true
}

// ExpireTokens invalidates all tokens issued so far.
func (r *Registry) ExpireTokens() {
	r.access.tokens.mu.Lock()
	defer r.access.tokens.mu.Unlock()
	clear(r.access.tokens.given)
}

// SignTokens lets sign make every token from now on, from the granted scopes.
func (r *Registry) SignTokens(sign func(granted []Scope) string) {
	r.access.tokens.mu.Lock()
	defer r.access.tokens.mu.Unlock()
	r.access.tokens.sign = sign
}

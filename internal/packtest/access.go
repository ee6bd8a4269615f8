package packtest

import (
	"fmt"
	"net/http"
	"strings"
)

// access asks for what Options say: nothing, a bearer token as in
// https://distribution.github.io/distribution/spec/auth/token/, or Basic
// credentials.
type access struct {
	opts   Options
	tokens *tokens
}

func newAccess(opts Options) *access {
	return &access{opts, newTokens(opts.TokenUses)}
}

// over lets authorized requests through to next.
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

// repository returns the name that the request is about, "" for the version
// check.
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

// refuse turns away who has shown nothing; challenge answers 401.
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

// demandToken names the reason as
// https://www.rfc-editor.org/rfc/rfc6750#section-3.1 does, where there is one.
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

// shown is what a request shows of the credentials that are asked for.
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

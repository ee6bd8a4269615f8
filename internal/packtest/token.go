package packtest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// authorization asks for what Options say: nothing, a bearer token as in
// https://distribution.github.io/distribution/spec/auth/token/, or Basic
// credentials.
type authorization struct {
	opts Options
}

// over lets authorized requests through to next.
func (a authorization) over(next http.Handler) http.Handler {
	switch {
	case a.opts.Token:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.bearer(w, r, next) })
	case a.opts.User != "":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.basic(w, r, next) })
	}
	return next
}

func (a authorization) basic(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if !a.known(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="packtest"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	next.ServeHTTP(w, r)
}

func (a authorization) bearer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.URL.Path == "/token" {
		a.issue(w, r)
		return
	}
	name, _, _ := endpoint(strings.Replace(r.URL.Path, "/blobs/uploads/", "/uploads/", 1))
	if accepts(name, r.Header.Get("Authorization")) {
		next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("WWW-Authenticate", a.challenge(r, name))
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

func (a authorization) challenge(r *http.Request, name string) string {
	scheme := "https"
	if a.opts.Plain {
		scheme = "http"
	}
	c := fmt.Sprintf("Bearer realm=\"%s://%s/token\",service=%q", scheme, r.Host, r.Host)
	if name == "" {
		return c
	}
	actions := "pull"
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		actions = "pull,push"
	}
	return c + fmt.Sprintf(",scope=\"repository:%s:%s\"", name, actions)
}

// issue gives a token for the repository of the first scope.
func (a authorization) issue(w http.ResponseWriter, r *http.Request) {
	if !a.known(r) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	name := ""
	if parts := strings.Split(r.URL.Query().Get("scope"), ":"); len(parts) == 3 {
		name = parts[1]
	}
	reply := map[string]any{"access_token": token(name), "expires_in": 300}
	if !a.opts.AccessTokenOnly {
		reply["token"] = token(name)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(reply)
}

// known reports whether the request carries the credentials that are asked
// for, which may be none.
func (a authorization) known(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	if a.opts.User == "" {
		return r.Header.Get("Authorization") == ""
	}
	return ok && user == a.opts.User && password == a.opts.Password
}

// accepts reports whether header holds a token for the repository; the
// version check, which has none, takes any.
func accepts(name, header string) bool {
	given, ok := strings.CutPrefix(header, "Bearer ")
	if name == "" {
		return ok && strings.HasPrefix(given, tokenPrefix)
	}
	return ok && given == token(name)
}

const tokenPrefix = "packtest-token-"

// token is derived from the repository, so that nothing need be remembered.
func token(name string) string {
	return fmt.Sprintf("%s%x", tokenPrefix, sha256.Sum256([]byte(name)))
}

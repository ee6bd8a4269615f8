package packtest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Request is one that reached a [Registry], whatever became of it.
type Request struct {
	Method        string
	Path          string // with the query
	Host          string
	Authorization bool // whether that header was there
	Header        http.Header
	TLS           bool
	Body          string // of a POST to /token, 64 KiB of it at most
}

// maxRecorded is the most that is recorded of a body.
const maxRecorded = 64 << 10

// String returns the method and the path.
func (r Request) String() string { return r.Method + " " + r.Path }

// Scheme returns the scheme of the Authorization header in lower case, such as
// "basic" or "bearer", or "" if there is none.
func (r Request) Scheme() string {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.ToLower(scheme)
}

// Carries reports whether a secret stands anywhere in the request: in its path
// and query, a header or the recorded body, plain, escaped for URLs or inside
// Basic credentials.
func (r Request) Carries(secret string) bool {
	texts := []string{r.Path, r.Body}
	for _, values := range r.Header {
		texts = append(texts, values...)
	}
	user, password, _ := (&http.Request{Header: r.Header}).BasicAuth()
	texts = append(texts, user+":"+password)
	return slices.ContainsFunc(texts, func(text string) bool {
		unescaped, _ := url.QueryUnescape(text)
		return strings.Contains(text, secret) || strings.Contains(unescaped, secret)
	})
}

// Requests returns every request since the last ResetRequests, in the order
// of their arrival.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// ResetRequests forgets all requests so far.
func (r *Registry) ResetRequests() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}

// Intercept hands f every request before anything else sees it, tokens
// included. F returns true if it answered the request. It runs in the
// server's goroutines, several at once. Nil removes it.
func (r *Registry) Intercept(f func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intercept = f
}

// A Fault is a way for a registry to misbehave. Package fault has them.
type Fault struct {
	// Match reports whether the request is to be served by the fault. It is
	// asked once a request.
	Match func(*http.Request) bool
	// Serve answers the request. Honest is the registry as it would answer
	// without the fault, tokens included.
	Serve func(w http.ResponseWriter, r *http.Request, honest http.Handler)
}

// Inject replaces the faults: a request is served by the first one it
// matches, after Intercept had its turn. None removes them.
func (r *Registry) Inject(faults ...Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = slices.Clone(faults)
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	intercept, faults := r.arrive(req, recorded(req))
	if intercept != nil && intercept(w, req) {
		return
	}
	for _, f := range faults {
		if f.Match(req) {
			f.Serve(w, req, r.honest)
			return
		}
	}
	r.honest.ServeHTTP(w, req)
}

// recorded returns what is to be recorded of the body, and leaves the body as it
// was.
func recorded(req *http.Request) string {
	if req.Method != http.MethodPost || req.URL.Path != "/token" {
		return ""
	}
	head, _ := io.ReadAll(io.LimitReader(req.Body, maxRecorded))
	req.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), req.Body), req.Body}
	return string(head)
}

func (r *Registry) arrive(req *http.Request, body string) (func(http.ResponseWriter, *http.Request) bool, []Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, recordOf(req, req.URL.RequestURI(), body))
	return r.intercept, r.faults
}

func recordOf(req *http.Request, path, body string) Request {
	return Request{
		Method: req.Method, Path: path, Host: req.Host, TLS: req.TLS != nil, Body: body,
		Authorization: req.Header.Get("Authorization") != "", Header: req.Header.Clone(),
	}
}

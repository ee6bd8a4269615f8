package packtest

import (
	"net/http"
	"slices"
)

// A Request is one that reached a [Registry], whatever became of it.
type Request struct {
	Method        string
	Path          string // with the query
	Host          string
	Authorization bool // whether that header was there
	Header        http.Header
	TLS           bool
}

// String returns the method and the path.
func (r Request) String() string { return r.Method + " " + r.Path }

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

// Inject replaces the faults: a request is served by the first one it
// matches, after Intercept had its turn. None removes them.
func (r *Registry) Inject(faults ...Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = slices.Clone(faults)
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	intercept, faults := r.arrive(req)
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

func (r *Registry) arrive(req *http.Request) (func(http.ResponseWriter, *http.Request) bool, []Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, Request{
		Method:        req.Method,
		Path:          req.URL.RequestURI(),
		Host:          req.Host,
		Authorization: req.Header.Get("Authorization") != "",
		Header:        req.Header.Clone(),
		TLS:           req.TLS != nil,
	})
	return r.intercept, r.faults
}

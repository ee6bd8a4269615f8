// Package packtest serves small valid packs from a registry in this process.
package packtest

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

// A Registry is an OCI registry in this process. All of its methods may be
// used while it serves, by several goroutines.
//
// Blobs, uploads and the version check are pkg/registry's of
// go-containerregistry; manifests and tags are kept by type manifests.
type Registry struct {
	opts      Options
	ca        *Authority // nil if plain
	tls       *tls.Config
	blobs     registry.BlobHandler
	manifests *manifests
	content   http.Handler // blobs and manifests
	access    *access
	honest    http.Handler // content behind access

	mu        sync.Mutex
	host      string
	server    *http.Server // nil while stopped
	listener  *listener
	served    chan struct{}
	requests  []Request
	intercept func(http.ResponseWriter, *http.Request) bool
	faults    []Fault
}

// NewRegistry starts an empty registry. The caller must Close it.
func NewRegistry(opts Options) (*Registry, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	r := &Registry{opts: opts, blobs: registry.NewInMemoryBlobHandler(), host: cmp.Or(opts.Addr, "127.0.0.1:0")}
	if err := r.setUpTLS(); err != nil {
		return nil, err
	}
	r.manifests = newManifests(opts.TagPage)
	r.content = r.manifests.over(openRanges(r.blobs, registry.New(
		registry.WithBlobHandler(r.blobs),
		registry.Logger(log.New(io.Discard, "", 0)),
	)))
	r.access = newAccess(opts)
	r.honest = r.access.over(r.content)
	if err := r.Start(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Registry) setUpTLS() (err error) {
	if r.opts.Plain {
		return nil
	}
	if r.ca = r.opts.CA; r.ca == nil {
		if r.ca, err = NewAuthority(); err != nil {
			return err
		}
	}
	cert := r.opts.Certificate
	if cert == nil {
		issued, err := r.ca.Issue(farFuture())
		if err != nil {
			return err
		}
		cert = &issued
	}
	r.tls = &tls.Config{Certificates: []tls.Certificate{*cert}}
	return nil
}

// Start listens again after Stop, on the same port and with the same content.
func (r *Registry) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server != nil {
		return errors.New("test registry: already started")
	}
	l, err := net.Listen("tcp", r.host)
	if err != nil {
		return fmt.Errorf("test registry: %w", err)
	}
	r.host = l.Addr().String()
	r.served = make(chan struct{})
	r.server = &http.Server{
		Handler:   r,
		TLSConfig: r.tls.Clone(),
		ErrorLog:  log.New(io.Discard, "", 0), // aborted handshakes are what tests provoke
		Protocols: protocols(r.opts.HTTP2),

		ConnContext: withConn,
	}
	r.listener = newListener(l)
	go serve(r.server, r.listener, r.served)
	return nil
}

func serve(s *http.Server, l net.Listener, served chan struct{}) {
	defer close(served)
	if s.TLSConfig == nil {
		s.Serve(l)
	} else {
		s.ServeTLS(l, "", "")
	}
}

func protocols(http2 bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(http2)
	return p
}

// Stop closes the port and every connection at once. The content is kept. A
// registry that does not run may be stopped.
func (r *Registry) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == nil {
		return nil
	}
	r.listener.stop()
	err := r.server.Close()
	<-r.served
	r.server = nil
	return err
}

// Close stops the registry for good. It may be called twice.
func (r *Registry) Close() error { return r.Stop() }

// Host returns the registry's host and port. It is always spelled in this
// way, since clients take localhost for another host than 127.0.0.1.
func (r *Registry) Host() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.host
}

// URL returns the registry's root without a slash at its end.
func (r *Registry) URL() string {
	if r.opts.Plain {
		return "http://" + r.Host()
	}
	return "https://" + r.Host()
}

// CA returns the authority that signs the registry's certificate, nil if plain.
func (r *Registry) CA() *Authority { return r.ca }

// CAFile writes the CA's certificate into dir and returns the path of the
// file, for SSL_CERT_FILE.
func (r *Registry) CAFile(dir string) (string, error) {
	if r.ca == nil {
		return "", errors.New("test registry: plain HTTP has no CA")
	}
	return r.ca.WriteFile(dir)
}

// Login returns the credentials for what is private, nil if nothing is.
func (r *Registry) Login() *url.Userinfo {
	if r.opts.User == "" {
		return nil
	}
	return url.UserPassword(r.opts.User, r.opts.Password)
}

// Transport returns a new transport that trusts the registry and uses no
// proxy.
func (r *Registry) Transport() *http.Transport { return r.ca.Transport(r.opts.HTTP2) }

// Client returns a new client with a transport of its own.
func (r *Registry) Client() *http.Client { return &http.Client{Transport: r.Transport()} }

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

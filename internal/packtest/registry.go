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
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

// A Registry is an OCI registry in this process. Several goroutines may use all its
// methods while it serves.
//
// Blobs, uploads and the version check are pkg/registry's of go-containerregistry; type
// manifests keeps manifests and tags.
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
	inFlight  int // requests
	crowd     int // requests in flight at once since ResetRequests
	intercept func(http.ResponseWriter, *http.Request) bool
	faults    []Fault
}

// HTTP2Variable is an environment variable that, if it is set, has all registries over TLS offer
// HTTP/2.
const HTTP2Variable = "PACKVENDOR_TEST_HTTP2"

// NewRegistry starts an empty registry. The caller must Close it.
func NewRegistry(opts Options) (*Registry, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	opts.HTTP2 = opts.HTTP2 || !opts.Plain && os.Getenv(HTTP2Variable) != ""
	r := &Registry{opts: opts, blobs: registry.NewInMemoryBlobHandler(), host: cmp.Or(opts.Addr, "127.0.0.1:0")}
	if err := r.setUpTLS(); err != nil {
		return nil, err
	}
	r.manifests = newManifests(opts)
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
	l, err := listen(r.host, r.opts.Single)
	if err != nil {
		return fmt.Errorf("test registry: %w", err)
	}
	r.host = l.Addr().String()
	r.served = make(chan struct{})
	r.server = &http.Server{
		Handler:   r,
		TLSConfig: r.tls.Clone(),
		ErrorLog:  log.New(io.Discard, "", 0), // tests provoke aborted handshakes
		Protocols: protocols(r.opts.HTTP2),
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: r.opts.Streams},

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

// Restrict sets [Options.Single] from the next Start on.
func (r *Registry) Restrict(single Single) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opts.Single = single
}

// Stop closes the port and every connection at once, and keeps the content. It may be
// called on a stopped registry.
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

// Host returns the registry's host and port, always in the same spelling, since clients
// take localhost for another host than 127.0.0.1.
func (r *Registry) Host() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.host
}

// URL returns the registry's root without a trailing slash.
func (r *Registry) URL() string {
	if r.opts.Plain {
		return "http://" + r.Host()
	}
	return "https://" + r.Host()
}

// HTTP2 reports whether the registry offers HTTP/2.
func (r *Registry) HTTP2() bool { return r.opts.HTTP2 }

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

// Login returns the credentials for private repositories, nil if all are public.
func (r *Registry) Login() *url.Userinfo {
	if r.opts.User == "" {
		return nil
	}
	return url.UserPassword(r.opts.User, r.opts.Password)
}

// Transport returns a new transport that trusts the registry and uses no
// proxy.
func (r *Registry) Transport() *http.Transport { return r.ca.Transport(r.opts.HTTP2) }

// Client returns a new client with its own transport.
func (r *Registry) Client() *http.Client { return &http.Client{Transport: r.Transport()} }

// A Request is a request that reached a [Registry], whatever the answer was.
type Request struct {
	Method        string
	Path          string // with the query
	Host          string
	Authorization bool // the header was present
	Header        http.Header
	TLS           bool
	Body          string // of a POST to /token, at most 64 KiB
}

// maxRecorded bounds the recorded bytes of a body.
const maxRecorded = 64 << 10

// String returns the method and the path.
func (r Request) String() string { return r.Method + " " + r.Path }

// Scheme returns the scheme of the Authorization header in lower case, such as
// "basic" or "bearer", or "" if there is none.
func (r Request) Scheme() string {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.ToLower(scheme)
}

// Carries reports whether the request holds a secret: in its path and query, a header
// or the recorded body, plain, escaped for URLs or inside Basic credentials.
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

// Requests returns all requests since the last ResetRequests, in their order of
// arrival.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// ResetRequests forgets all requests so far, and the load.
func (r *Registry) ResetRequests() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests, r.crowd = nil, r.inFlight
	r.listener.forget()
}

// A Load is what a registry bore at once since the last ResetRequests.
type Load struct {
	Requests    int
	Connections int
	Opened      int // connections in all, since ResetRequests or Start
	Open        int // connections that are open now
}

// Load returns the greatest load.
func (r *Registry) Load() Load {
	r.mu.Lock()
	defer r.mu.Unlock()
	opened, most := r.listener.seen()
	return Load{Requests: r.crowd, Connections: most, Opened: opened, Open: len(r.listener.all())}
}

// Intercept passes f every request first, including tokens. F returns true if it
// answered the request. Several goroutines of the server call it at once. Nil removes
// it.
func (r *Registry) Intercept(f func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intercept = f
}

// A Fault is a misbehaviour of a registry. Package fault has them.
type Fault struct {
	// Match reports whether the fault serves the request. It is called once a request.
	Match func(*http.Request) bool
	// Serve answers the request. Honest is the registry without the fault, including
	// tokens.
	Serve func(w http.ResponseWriter, r *http.Request, honest http.Handler)
}

// Inject replaces the faults: the first matching one serves a request, after Intercept.
// None removes them.
func (r *Registry) Inject(faults ...Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = slices.Clone(faults)
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	intercept, faults := r.arrive(req, recorded(req))
	defer r.leave()
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

// recorded returns the body to record, and keeps it readable.
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
	r.inFlight++
	r.crowd = max(r.crowd, r.inFlight)
	return r.intercept, r.faults
}

func (r *Registry) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
}

func recordOf(req *http.Request, path, body string) Request {
	return Request{
		Method: req.Method, Path: path, Host: req.Host, TLS: req.TLS != nil, Body: body,
		Authorization: req.Header.Get("Authorization") != "", Header: req.Header.Clone(),
	}
}

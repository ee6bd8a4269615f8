// Package packtest serves small valid packs from a registry in this process.
package packtest

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
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

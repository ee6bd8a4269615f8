package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// A guardedRegistry is a bench at a large registry: tokens are from one host, manifests from
// another, and blobs from a third. All are at the other end of the same link.
type guardedRegistry struct {
	bench  *bench
	issuer *packtest.Registry
	blobs  *http.Server
}

// startGuarded starts such a registry for a bench with a link. The caller must stop it.
func (b *bench) startGuarded() (g *guardedRegistry, err error) {
	g = &guardedRegistry{}
	defer func() {
		if err != nil {
			g.stop()
		}
	}()
	if g.issuer, err = packtest.NewRegistry(packtest.Options{Token: true, Plain: b.plain, HTTP2: !b.plain, CA: b.registry.CA()}); err != nil {
		return g, err
	}
	content := &folder{}
	blobs, err := g.serveBlobs(b.registry.CA(), content)
	if err != nil {
		return g, err
	}
	tokens, err := b.link.To(g.issuer.Host())
	if err != nil {
		return g, err
	}
	if blobs, err = b.link.To(blobs); err != nil {
		return g, err
	}
	scheme := map[bool]string{true: "http://", false: "https://"}[b.plain]
	r, err := startRegistry(b.work, distribution.Options{Plain: b.plain, CA: b.registry.CA(), Issuer: g.issuer, TokenURL: scheme + tokens, Redirect: scheme + blobs})
	if err != nil {
		return g, err
	}
	other := *b
	other.registry, other.datasets = r, map[string]*dataset{}
	g.bench = &other
	content.dir = http.Dir(r.Content())
	r.through, err = b.link.To(r.Host())
	return g, err
}

// A folder is one that is known later than its server.
type folder struct{ dir http.Dir }

func (f *folder) Open(name string) (http.File, error) { return f.dir.Open(name) }

// serveBlobs starts a server of a registry's files, over HTTP/2 and HTTP/1.1, and returns its
// address.
func (g *guardedRegistry) serveBlobs(ca *packtest.Authority, content *folder) (address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	g.blobs = &http.Server{Handler: http.FileServer(content), ErrorLog: log.New(io.Discard, "", 0)}
	if ca == nil {
		go g.blobs.Serve(listener)
		return listener.Addr().String(), nil
	}
	certificate, err := ca.Issue(time.Time{})
	if err != nil {
		listener.Close()
		return "", err
	}
	g.blobs.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	go g.blobs.ServeTLS(listener, "", "")
	return listener.Addr().String(), nil
}

func (g *guardedRegistry) stop() error {
	var errs []error
	if g.bench != nil {
		errs = append(errs, g.bench.registry.stop())
	}
	if g.blobs != nil {
		errs = append(errs, g.blobs.Close())
	}
	if g.issuer != nil {
		errs = append(errs, g.issuer.Close())
	}
	return errors.Join(errs...)
}

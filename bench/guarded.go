package main

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"

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

// startGuarded starts such a registry for a bench with a line. The caller must stop it.
func (b *bench) startGuarded() (g *guardedRegistry, err error) {
	g = &guardedRegistry{}
	defer func() {
		if err != nil {
			g.stop()
		}
	}()
	ca := b.registry.CA()
	if g.issuer, err = packtest.NewRegistry(packtest.Options{Token: true, Plain: b.plain, HTTP2: !b.plain, CA: ca}); err != nil {
		return g, err
	}
	tokens, err := b.line.to(g.issuer.Host(), frontOptions{})
	if err != nil {
		return g, err
	}
	content := &folder{}
	blobs, err := g.serveBlobs(ca, content)
	if err != nil {
		return g, err
	}
	if blobs, err = b.line.to(blobs, frontOptions{}); err != nil {
		return g, err
	}
	scheme := map[bool]string{true: "http://", false: "https://"}[b.plain]
	r, err := startRegistry(b.work, distribution.Options{Plain: b.plain, CA: ca, Issuer: g.issuer, TokenURL: scheme + tokens, Redirect: scheme + blobs})
	if err != nil {
		return g, err
	}
	content.dir = http.Dir(r.Content())
	g.bench = b.at(r)
	r.through, err = b.line.to(r.Host(), frontOptions{})
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
	return listener.Addr().String(), serve(g.blobs, listener, ca)
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

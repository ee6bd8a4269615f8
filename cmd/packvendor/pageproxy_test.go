package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A nameProxy is a proxy in whose world hosts have other addresses: that of ghcr.io is
// a registry's on this machine.
type nameProxy struct {
	address string
	hosts   map[string]string // host:port to the address of a server
}

func startNameProxy(t *testing.T, hosts map[string]string) *nameProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &nameProxy{address: l.Addr().String(), hosts: hosts}
	server := &http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return p
}

// ServeHTTP connects a client, for TLS.
func (p *nameProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	address, ok := p.hosts[r.Host]
	if !ok || r.Method != http.MethodConnect {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	packtest.Tunnel(w, address)
}

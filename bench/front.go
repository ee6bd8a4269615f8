package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync/atomic"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A front stands before a server, as a proxy does, and makes it one of another kind.
type front struct {
	frontOptions
	address string
	server  http.Server
	client  *http.Transport // of the server behind
	proxy   *httputil.ReverseProxy

	running, refused atomic.Int64 // requests
}

type frontOptions struct {
	http1  bool    // HTTP/1.1 alone
	most   int64   // requests that it takes at once; it refuses others with 429. 0 is no limit
	record *record // of all requests; nil is none
}

// startFront starts a front before a server. The caller must close it.
func startFront(server string, ca *packtest.Authority, o frontOptions) (*front, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{frontOptions: o, address: listener.Addr().String(), client: ca.Transport(false)}
	f.client.MaxIdleConnsPerHost = 64 // a proxy keeps its connections
	silent := log.New(io.Discard, "", 0)
	f.proxy = &httputil.ReverseProxy{Transport: f.client, ErrorLog: silent, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Host, r.Out.URL.Scheme = server, "https"
		if ca == nil {
			r.Out.URL.Scheme = "http"
		}
	}}
	f.server = http.Server{Handler: f, ErrorLog: silent, Protocols: new(http.Protocols)}
	f.server.Protocols.SetHTTP1(true)
	f.server.Protocols.SetHTTP2(!o.http1)
	return f, serve(&f.server, listener, ca)
}

// serve starts a server whose certificate is signed by ca; nil is plain HTTP.
func serve(s *http.Server, l net.Listener, ca *packtest.Authority) error {
	if ca == nil {
		go s.Serve(l)
		return nil
	}
	certificate, err := ca.Issue(time.Time{})
	if err != nil {
		l.Close()
		return err
	}
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	go s.ServeTLS(l, "", "")
	return nil
}

func (f *front) close() error {
	err := f.server.Close()
	f.client.CloseIdleConnections()
	return err
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.record != nil {
		answer := &answer{ResponseWriter: w}
		defer f.record.add(r, answer, f.record.now())
		w = answer
	}
	defer f.running.Add(-1)
	if f.running.Add(1) > f.most && f.most > 0 {
		f.refused.Add(1)
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

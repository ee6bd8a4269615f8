package packtest

import (
	"cmp"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// ProxyOptions are the ways a [Proxy] can be set up.
type ProxyOptions struct {
	// To is the address that is dialled instead of every target, so that the
	// targets' names need not exist; "" means the target itself.
	To string
	// User and Password are asked for with 407 unless User is empty.
	User, Password string
}

// A Proxy is an HTTP proxy in this process that knows CONNECT alone. Its
// methods may be used by several goroutines at once.
type Proxy struct {
	opts   ProxyOptions
	server *http.Server
	host   string

	mu       sync.Mutex
	requests []Request
	tunnels  map[net.Conn]bool // both ends of each
	closed   bool
}

// StartProxy starts a proxy on a free port of 127.0.0.1. It is closed, with all
// that goes through it, when the test ends.
func StartProxy(tb TB, opts ProxyOptions) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("test proxy: %v", err)
		return nil
	}
	p := &Proxy{opts: opts, host: l.Addr().String(), tunnels: map[net.Conn]bool{}}
	p.server = &http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan struct{})
	go serve(p.server, l, served)
	tb.Cleanup(func() {
		p.server.Close()
		<-served
		p.cut()
	})
	return p
}

// URL returns what HTTPS_PROXY takes, credentials included.
func (p *Proxy) URL() string {
	u := url.URL{Scheme: "http", Host: p.host}
	if p.opts.User != "" {
		u.User = url.UserPassword(p.opts.User, p.opts.Password)
	}
	return u.String()
}

// Host returns the proxy's host and port.
func (p *Proxy) Host() string { return p.host }

// Requests returns every request for a tunnel, and what else was asked of the
// proxy, whatever became of it. The path of a tunnel is its target.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Targets returns the hosts and ports that tunnels were asked for, in the order
// of their arrival.
func (p *Proxy) Targets() (targets []string) {
	for _, r := range p.Requests() {
		if r.Method == http.MethodConnect {
			targets = append(targets, r.Path)
		}
	}
	return targets
}

// ServeHTTP answers one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.record(r)
	switch {
	case !p.known(r):
		w.Header().Set("Proxy-Authenticate", `Basic realm="packtest proxy"`)
		http.Error(w, "proxy authentication required", http.StatusProxyAuthRequired)
	case r.Method != http.MethodConnect:
		http.Error(w, "this proxy knows CONNECT alone", http.StatusMethodNotAllowed)
	default:
		p.tunnel(w, r.Host)
	}
}

func (p *Proxy) record(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, recordOf(r, r.RequestURI, ""))
}

func (p *Proxy) known(r *http.Request) bool {
	given := http.Request{Header: http.Header{"Authorization": r.Header.Values("Proxy-Authorization")}}
	user, password, _ := given.BasicAuth()
	return p.opts.User == "" || user == p.opts.User && password == p.opts.Password
}

func (p *Proxy) tunnel(w http.ResponseWriter, target string) {
	far, err := net.DialTimeout("tcp", cmp.Or(p.opts.To, target), 5*time.Second)
	if err != nil {
		http.Error(w, "cannot reach the target", http.StatusBadGateway)
		return
	}
	defer p.end(far)
	w.WriteHeader(http.StatusOK)
	near, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer p.end(near)
	if !p.begin(near, far) {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(far, buffered)
		far.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(near, far)
	near.(*net.TCPConn).CloseWrite()
	<-done
}

// begin remembers the ends of a tunnel, unless the proxy is closed.
func (p *Proxy) begin(ends ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, end := range ends {
		p.tunnels[end] = true
	}
	return !p.closed
}

func (p *Proxy) end(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tunnels, c)
}

// cut closes all tunnels, which http.Server knows nothing of any more.
func (p *Proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for c := range p.tunnels {
		c.Close()
	}
}

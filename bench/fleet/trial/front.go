package trial

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// A front stands before a registry, over TLS: it counts what it is asked, and refuses
// what is beyond a limit.
type front struct {
	server *http.Server
	ca     *packtest.Authority
	host   string

	mu      sync.Mutex
	behind  http.Handler
	traffic Traffic
	limit   int // pulls that are answered, or noLimit
	pulls   int
	active  int // requests that are being answered
}

// A registry is what may be behind a front.
type registry interface {
	URL() string
	CA() *packtest.Authority
}

// newFront starts a front on a free port of 127.0.0.1, with nothing behind it. The caller
// must close it.
func newFront(ca *packtest.Authority) (*front, error) {
	certificate, err := ca.Issue(time.Time{})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{ca: ca, host: listener.Addr().String(), behind: http.NotFoundHandler(), limit: noLimit}
	f.server = &http.Server{
		Handler:   f,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	go f.server.ServeTLS(listener, "", "")
	return f, nil
}

func (f *front) close() error { return f.server.Close() }

// URL and CA make the front the origin of a pull-through cache.
func (f *front) URL() string             { return "https://" + f.host }
func (f *front) CA() *packtest.Authority { return f.ca }

// idleConnections are kept between a front and its registry: as many as a fleet asks for
// at once, roughly.
const idleConnections = 100

// passTo puts a registry behind the front.
func (f *front) passTo(r registry) error {
	target, err := url.Parse(r.URL())
	if err != nil {
		return err
	}
	transport := r.CA().Transport(false)
	transport.MaxIdleConnsPerHost = idleConnections
	f.put(&httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(target) },
		Transport:    transport,
		ErrorLog:     f.server.ErrorLog,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	return nil
}

func (f *front) put(behind http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind = behind
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := &answer{ResponseWriter: w, status: http.StatusOK}
	defer func() { f.leave(answer) }()
	f.arrive(r).ServeHTTP(answer, r)
}

// arrive counts a request, and returns what answers it.
func (f *front) arrive(r *http.Request) http.Handler {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active++
	*f.traffic.kind(r)++
	if !isPull(r) {
		return f.behind
	}
	f.pulls++
	if f.limit != noLimit && f.pulls > f.limit {
		return http.HandlerFunc(refuse)
	}
	return f.behind
}

// refusal is the body of Docker Hub's answer to an address that is over its limit.
const refusal = `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}` + "\n"

func refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	io.WriteString(w, refusal)
}

func (f *front) leave(a *answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.active--
	f.traffic.answered(a.status, a.bytes)
}

// noLimit is the limit of a front that answers everything.
const noLimit = -1

// begin begins a new count, with a limit.
func (f *front) begin(limit int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.traffic, f.pulls, f.limit = Traffic{}, 0, limit
}

// take returns what was counted since the last call or begin.
func (f *front) take() Traffic {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.traffic
	f.traffic = Traffic{}
	return t
}

// look returns what is counted so far, and whether requests are being answered.
func (f *front) look() (t Traffic, busy bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.traffic, f.active > 0
}

// A pull-through cache asks its origin also after it has answered. Its origin is at rest when
// it has been asked nothing for as long as quiet.
const (
	quiet    = 300 * time.Millisecond
	maxQuiet = 30 * time.Second
)

// rest waits until no request comes any more.
func (f *front) rest(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, maxQuiet, errors.New("the registry is still being asked"))
	defer cancel()
	for last, _ := f.look(); ; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(quiet):
		}
		now, busy := f.look()
		if now == last && !busy {
			return nil
		}
		last = now
	}
}

// An answer is one that is counted.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap lets the reverse proxy flush.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

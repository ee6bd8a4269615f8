package registry_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// waits are those that a client was to make, and what was told of them.
type waits struct {
	mu    sync.Mutex
	slept []time.Duration
	told  []registry.Retry
	then  func() // nil: nothing happens meanwhile
}

func (w *waits) options() registry.Options {
	return registry.Options{
		Sleep: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.slept = append(w.slept, d)
			if w.then != nil {
				w.then()
			}
			return context.Cause(ctx)
		},
		Retrying: func(r registry.Retry) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.told = append(w.told, r)
		},
	}
}

// want checks n waits, that each was announced before it, and the statuses that caused
// them; 0 means no status.
func (w *waits) want(t *testing.T, n, status int) {
	t.Helper()
	if len(w.slept) != n || len(w.told) != n {
		t.Fatalf("%d waits, %d told of, want %d: %+v", len(w.slept), len(w.told), n, w.told)
	}
	for i, told := range w.told {
		e := as[*registry.Error](t, told.Err)
		if told.Wait != w.slept[i] || told.Try != i+2 || told.Of != 5 || e.Status != status {
			t.Errorf("wait %d: told %+v, waited %s", i, told, w.slept[i])
		}
	}
}

// inYears is a clock that is not this machine's.
var inYears = time.Date(2100, time.January, 2, 3, 4, 5, 0, time.UTC)

func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

func TestFault08_RetryAfter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after string
		want  time.Duration // -1: the own pause
	}{
		"seconds":            {"7", 7 * time.Second},
		"at once":            {"0", -1}, // the own pause is the least
		"the longest":        {"60", time.Minute},
		"date":               {httpDate(inYears.Add(13 * time.Second)), 13 * time.Second},
		"the longest date":   {httpDate(inYears.Add(time.Minute)), time.Minute},
		"date in the past":   {httpDate(inYears.Add(-time.Hour)), -1},
		"date by this clock": {httpDate(time.Now().Add(5 * time.Second)), -1}, // long over, by the registry's
		"negative":           {"-5", -1},
		"garbage":            {"soon", -1},
		"fraction":           {"1.5", -1},
		"nothing":            {"", -1},
	} {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			if status == http.StatusServiceUnavailable && name != "seconds" {
				continue
			}
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				t.Parallel()
				everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
					var w waits
					b.use(t, w.options())
					header := http.Header{"Date": {httpDate(inYears)}}
					if test.after != "" {
						header.Set("Retry-After", test.after)
					}
					b.reg.Inject(fault.First(1, fault.Status(path+"$", status, header)))
					if err := call(); err != nil {
						t.Fatal(err)
					}
					w.want(t, 1, status)
					told, slept := w.told[0], w.slept[0]
					if test.want >= 0 && (slept != test.want || !told.Told) {
						t.Errorf("waited %s (told by the registry: %t), want %s", slept, told.Told, test.want)
					}
					if test.want < 0 && (told.Told || slept < 250*time.Millisecond || slept > 750*time.Millisecond) {
						t.Errorf("waited %s (told by the registry: %t)", slept, told.Told)
					}
				})
			})
		}
	}
}

// Without a Date there is only our own clock.
func TestFault08_DateWithoutDate(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	var w waits
	b.use(t, w.options())
	b.reg.Inject(fault.First(1, fault.Status(b.manifestPath(), http.StatusTooManyRequests,
		http.Header{"Date": nil, "Retry-After": {httpDate(time.Now().Add(40 * time.Second))}})))
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	w.want(t, 1, http.StatusTooManyRequests)
	if got := w.slept[0]; got <= 30*time.Second || got > 40*time.Second {
		t.Errorf("waited %s, want about 40s", got)
	}
}

func TestFault08_RateLimitedForLong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ after, shown string }{
		"a second too long":      {"61", "1m1s"},
		"an hour":                {"3600", "1h0m0s"},
		"an hour as a date":      {httpDate(inYears.Add(time.Hour)), "1h0m0s"},
		"the largest":            {"2147483647", "more than a day"},
		"more than there is":     {"99999999999", "more than a day"},
		"more than fits in bits": {strings.Repeat("9", 30), "more than a day"},
	} {
		t.Run(name, func(t *testing.T) {
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				var w waits
				b.use(t, w.options())
				b.reg.Inject(fault.Status(path+"$", http.StatusTooManyRequests,
					http.Header{"Retry-After": {test.after}, "Date": {httpDate(inYears)}}))
				err := call()
				want := "GET " + b.reg.URL() + path + ": 429 Too Many Requests: TOOMANYREQUESTS: too many requests: rate limited, to be tried again in "
				wantText(t, err, want+test.shown)
				if e := as[*registry.Error](t, err); e.Tries != 1 || e.RetryAfter <= time.Minute {
					t.Errorf("%d tries, Retry-After %s", e.Tries, e.RetryAfter)
				}
				w.want(t, 0, 0)
				if n := countExactly(b.reg, path); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
			})
		})
	}
}

// countExactly returns how many requests for a path reached reg.
func countExactly(reg *packtest.Registry, path string) int {
	n := 0
	for _, r := range reg.Requests() {
		if at, _, _ := strings.Cut(r.Path, "?"); at == path {
			n++
		}
	}
	return n
}

// passing are the failures that may pass.
func passing() map[string]func(path string) packtest.Fault {
	list := map[string]func(string) packtest.Fault{"reset": func(path string) packtest.Fault { return fault.Drop(path + "$") }}
	for _, status := range []int{408, 429, 500, 502, 503, 504, 599} {
		list[fmt.Sprint(status)] = func(path string) packtest.Fault { return fault.Status(path+"$", status, nil) }
	}
	return list
}

func statusOf(name string) (status int) {
	fmt.Sscan(name, &status)
	return status
}

func TestFault09_TwiceThenRight(t *testing.T) {
	t.Parallel()
	for name, injected := range passing() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				if name == "408" && path == "/v2/" {
					t.Skip("a ping that is refused is forgiven")
				}
				var w waits
				o := w.options()
				transport := b.reg.Transport()
				transport.DisableKeepAlives = !b.reg.HTTP2() // net/http itself tries again on a connection that was idle
				o.Transport = transport
				b.use(t, o)
				b.reg.Inject(fault.First(2, injected(path)))
				if err := call(); err != nil {
					t.Fatal(err)
				}
				w.want(t, 2, statusOf(name))
				if n := countExactly(b.reg, path); n != 3 {
					t.Errorf("%d requests, want 3", n)
				}
			})
		})
	}
}

func TestFault09_ForEver(t *testing.T) {
	t.Parallel()
	for name, injected := range passing() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				if name == "408" && path == "/v2/" {
					t.Skip("a ping that is refused is forgiven")
				}
				var w waits
				o := w.options()
				transport := b.reg.Transport()
				transport.DisableKeepAlives = !b.reg.HTTP2()
				o.Transport = transport
				b.use(t, o)
				b.reg.Inject(injected(path))
				err := call()
				if e := as[*registry.Error](t, err); e.Tries != 5 || e.Status != statusOf(name) || !strings.HasSuffix(err.Error(), afterTries) {
					t.Errorf("got %q, %d tries", err, e.Tries)
				}
				if n := countExactly(b.reg, path); n != 5 {
					t.Errorf("%d requests, want 5", n)
				}
				w.want(t, 4, statusOf(name))
				var sum time.Duration
				for _, d := range w.slept {
					sum += d
				}
				if sum >= 30*time.Second || sum < time.Second {
					t.Errorf("waited %s in all", sum)
				}
			})
		})
	}
}

// A registry that is not there yet may come.
func TestFault09_RefusedThenUp(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		w := waits{then: func() { b.reg.Start() }}
		b.use(t, w.options())
		b.reg.Stop()
		if err := b.manifest(); err != nil {
			t.Error(err)
		}
		w.want(t, 1, 0)
		if text := w.told[0].Err.Error(); text != "GET "+b.reg.URL()+"/v2/: dial tcp "+b.reg.Host()+": connect: connection refused" {
			t.Errorf("told %q", text)
		}
	})
}

func TestFault09_HeadAndTags(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	var w waits
	b.use(t, w.options())
	b.reg.Inject(fault.First(2, fault.Status("/v2/"+repository+"/", http.StatusBadGateway, nil)))
	if got, err := b.client.Tags(context.Background(), b.byTag()); err != nil || !slices.Equal(got, []string{"1.0"}) {
		t.Errorf("got %q, %v", got, err)
	}
	w.want(t, 2, http.StatusBadGateway)
}

// A request that would fail the same way is not retried.
func TestFault09_NotRetried(t *testing.T) {
	t.Parallel()
	for _, status := range []int{204, 301, 304, 400, 401, 403, 404, 405} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				if path == "/v2/" {
					t.Skip("a ping that is refused is forgiven")
				}
				var w waits
				b.use(t, w.options())
				b.reg.Inject(fault.Status(path+"$", status, nil))
				err := call()
				e := as[*registry.Error](t, err)
				if e.Tries != 0 || strings.Contains(err.Error(), "tries") {
					t.Errorf("got %q, %d tries", err, e.Tries)
				}
				if n := countExactly(b.reg, path); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
				w.want(t, 0, 0)
			})
		})
	}
}

// raw answers a request with bytes that need not be HTTP.
func raw(answer string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Write([]byte(answer))
			conn.Close()
		}
		return true
	}
}

func TestFault09_MalformedAnswersAreNotRetried(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"no HTTP":            "s3cret \x1b[2J\r\n\r\n",
		"no status":          "HTTP/1.1 s3cret\r\n\r\n",
		"no version":         "HTTP/s3cret 200 OK\r\n\r\n",
		"header line":        "HTTP/1.1 200 OK\r\ns3cret\r\n\r\n",
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"unknown encoding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: s3cret\r\n\r\n",
		"location is no URL": "HTTP/1.1 307 x\r\nLocation: https://%zz/s3cret\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, packtest.Options{})
			if b.reg.HTTP2() {
				t.Skip("these are answers of HTTP/1.1: TestFault72_InvalidIsNotRetried has others")
			}
			var w waits
			b.use(t, w.options())
			b.reg.Intercept(raw(answer))
			err := b.manifest()
			as[*registry.Error](t, err)
			wantHarmless(t, err)
			if n := len(b.reg.Requests()); n != 1 {
				t.Errorf("%d requests, want 1: %v", n, err)
			}
		})
	}
}

// A server that refuses the handshake does so the next time, too.
func TestFault09_TLSAlertsAreNotRetried(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, cert := identity()
	server := &http.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS11}, ErrorLog: silent()}
	go server.ServeTLS(l, "", "")
	t.Cleanup(func() { server.Close() })
	var w waits
	wire := &wire{}
	o := w.options()
	o.Transport = wire.over(b.reg.Transport())
	b.use(t, o)
	ref := b.byTag()
	ref.Registry = l.Addr().String()
	_, err = b.client.Manifest(context.Background(), ref)
	if e := as[*registry.Error](t, err); e.Tries != 0 || e.MayBePlain() {
		t.Errorf("got %q, %d tries, MayBePlain %t", err, e.Tries, e.MayBePlain())
	}
	wantHarmless(t, err)
	if n := len(wire.targets()); n != 1 {
		t.Errorf("%d connections, want 1: %v", n, err)
	}
}

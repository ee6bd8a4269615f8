package registry_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// refusing answers 429 to what should have one, and else as answer does.
func refusing(should func(*http.Request) bool, after string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !should(r) {
			answer(w, r)
			return
		}
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(http.StatusTooManyRequests)
		w.Write([]byte(`{"errors":[{"code":"s3cret","message":"s3cret"}]}`))
	}
}

func isBlob(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/") }

// A registry that answers 429 whatever comes gets an end: each request has its five tries, and
// not many more.
func TestFault68_ForEver(t *testing.T) {
	t.Parallel()
	for _, streams := range []int{0, 250} {
		for _, after := range []string{"", "59"} {
			const n = 50
			p := servePopular(t, streams, refusing(isBlob, after, serveBlobs(n, 100)))
			var w waits
			o := w.options()
			o.Transport = trusting(t, nil)
			err := p.ask(t, registry.New(o), n, 100)
			texts := strings.Split(err.Error(), "\n")
			for _, text := range texts {
				if !strings.HasSuffix(text, ": 429 Too Many Requests: s3cret: s3cret"+afterTries) {
					t.Errorf("error %q", text)
				}
			}
			if asked := p.asked.Load(); len(texts) != n || asked < 1+5*n || asked > 1+5*n+4*mostRequests {
				t.Errorf("%d errors, %d requests", len(texts), asked)
			}
		}
	}
}

// Every second request is refused while others are answered: all arrive.
func TestFault68_Alternating(t *testing.T) {
	t.Parallel()
	for _, streams := range []int{0, 250} {
		const n = 100
		var count atomic.Int64
		var p *popular
		p = servePopular(t, streams, refusing(func(r *http.Request) bool {
			return isBlob(r) && p.requests.now.Load() > 1 && count.Add(1)%2 == 0
		}, "", serveBlobs(n, 100)))
		if err := p.ask(t, registry.New(registry.Options{Transport: trusting(t, nil), Sleep: soon}), n, 100); err != nil {
			t.Error(err)
		}
		if asked := p.asked.Load(); asked > 2*(n+1) {
			t.Errorf("%d requests", asked)
		}
	}
}

// One request is refused for ever while the others are answered: it fails after five tries of its
// own.
func TestFault68_OneForEver(t *testing.T) {
	t.Parallel()
	const n = 100
	var first atomic.Pointer[string]
	var refused atomic.Int64
	p := servePopular(t, 250, refusing(func(r *http.Request) bool {
		if !isBlob(r) {
			return false
		}
		first.CompareAndSwap(nil, &r.URL.Path)
		hit := *first.Load() == r.URL.Path
		if hit {
			refused.Add(1)
		}
		return hit
	}, "", serveBlobs(n, 100)))
	err := p.ask(t, registry.New(registry.Options{Transport: trusting(t, nil), Sleep: soon}), n, 100)
	wantText(t, err, "GET "+p.URL+*first.Load()+": 429 Too Many Requests: s3cret: s3cret"+afterTries)
	if refused.Load() > 50 {
		t.Errorf("it was sent %d times", refused.Load())
	}
}

// A storage to which a registry redirects is busy: its words, which may repeat a signed URL, are
// told to nobody.
func TestFault68_BusyElsewhere(t *testing.T) {
	t.Parallel()
	const n = 30
	var count atomic.Int64
	storage := servePopular(t, 250, refusing(func(*http.Request) bool { return count.Add(1)%3 == 2 }, "7", serveBlobs(n, 100)))
	p := servePopular(t, 250, func(w http.ResponseWriter, r *http.Request) {
		if isBlob(r) {
			http.Redirect(w, r, storage.URL+r.URL.Path+"?s3cret", http.StatusTemporaryRedirect)
		}
	})
	var w waits
	o := w.options()
	o.Transport = trusting(t, nil)
	if err := p.ask(t, registry.New(o), n, 100); err != nil {
		t.Error(err)
	}
	if len(w.told) == 0 {
		t.Error("nothing was told of the waits")
	}
	for _, told := range w.told {
		if strings.Contains(told.Err.Error(), "s3cret") || told.Wait != 7*time.Second {
			t.Errorf("told %+v: %v", told, told.Err)
		}
	}
}

// A token service is busy. What it is asked with POST is sent again with its body.
func TestFault68_BusyTokenService(t *testing.T) {
	t.Parallel()
	for _, streams := range []int{0, 250} {
		const n = 20
		var count atomic.Int64
		tokens := refusing(func(*http.Request) bool { return count.Add(1)%3 == 2 }, "", func(w http.ResponseWriter, r *http.Request) {
			if r.PostFormValue("refresh_token") == packtest.Password && r.Method == http.MethodPost {
				w.Write([]byte(`{"token":"abc"}`))
			}
		})
		var p *popular
		p = servePopular(t, streams, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/token" && r.Method == http.MethodPost:
				tokens(w, r)
			case r.Header.Get("Authorization") != "Bearer abc":
				w.Header().Set("Www-Authenticate", `Bearer realm="`+p.URL+`/token"`)
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		who := credentials.Credentials{IdentityToken: packtest.Password}
		o := registry.Options{Transport: trusting(t, nil), Sleep: soon, Keychain: &keychain{has: map[string]credentials.Credentials{p.host: who}}}
		c := registry.New(o)
		errs := make([]error, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() {
				ref := p.ref()
				ref.Repository += strconv.Itoa(i)
				ref.Tag = "1.0"
				_, errs[i] = c.Manifest(t.Context(), ref)
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil || count.Load() <= n {
			t.Errorf("%d requests for %d tokens: %v", count.Load(), n, err)
		}
	}
}

// A mirror that is busy is asked again only if that takes no time: the next source has the same.
func TestFault68_BusyMirror(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]bool{"": true, "0": true, "1": false} {
		const n = 30
		var count atomic.Int64
		together := make(chan struct{})
		p := servePopular(t, 250, refusing(func(r *http.Request) bool { // the first two are
			if !isBlob(r) {
				return false
			}
			place := count.Add(1)
			if place == 2 {
				close(together)
			}
			<-together
			return place <= 2
		}, after, serveBlobs(n, 100)))
		var w waits
		o := w.options()
		o.Transport = trusting(t, nil)
		c := registry.New(o).Mirror(registry.Mirror{Once: true})
		if err := p.ask(t, c, n, 100); (err == nil) != want {
			t.Errorf("Retry-After %q: %v", after, err)
		}
		w.want(t, 0, 0)
	}
}

// 429 to the ping is alone.
func TestFault68_BusyPing(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.reg.Inject(fault.Status("/v2/$", http.StatusTooManyRequests, nil))
		var w waits
		b.use(t, w.options())
		wantText(t, b.manifest(), "GET "+b.reg.URL()+"/v2/: 429 Too Many Requests: TOOMANYREQUESTS: too many requests"+afterTries)
		w.want(t, 4, http.StatusTooManyRequests)
	})
}

// Requests that wait for their turn end with their context, though those that are in flight stay.
func TestLaneWaitEnds(t *testing.T) {
	t.Parallel()
	const n = mostConnections
	arrived, release := make(chan struct{}, n), make(chan struct{})
	p := servePopular(t, 0, func(w http.ResponseWriter, r *http.Request) {
		if isBlob(r) {
			arrived <- struct{}{}
			<-release
		}
	})
	defer close(release)
	c := registry.New(registry.Options{Transport: trusting(t, nil), Sleep: soon})
	busy, stop := context.WithCancel(t.Context())
	defer stop()
	for i := range n {
		go c.Blob(busy, p.ref(), contentOf(blob(i, 100)), discard, nil)
	}
	for range n {
		<-arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := ended(func() error { return c.Blob(ctx, p.ref(), contentOf(blob(n, 100)), discard, nil) })
	cancel()
	wantCanceled(t, done)
}

// The watchdog ends requests that are stalled, so that others get their turn.
func TestLaneStalled(t *testing.T) {
	t.Parallel()
	for _, streams := range []int{0, 250} {
		const n = 2 * mostRequests
		var seen atomic.Int64
		blobs := serveBlobs(n, 100)
		p := servePopular(t, streams, func(w http.ResponseWriter, r *http.Request) {
			if isBlob(r) && seen.Add(1) <= mostRequests {
				<-r.Context().Done()
				return
			}
			blobs(w, r)
		})
		c := registry.New(registry.Options{Transport: trusting(t, nil), Sleep: soon, Stall: time.Second})
		if err := p.ask(t, c, n, 100); err != nil {
			t.Error(err)
		}
	}
}

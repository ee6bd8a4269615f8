package registry_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// swollen is as long as a header may be, nearly.
var swollen = strings.Repeat("A", 900<<10)

// wantShort wants an error of a few lines.
func wantShort(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	if n := len(err.Error()); n > 3000 {
		t.Errorf("a message of %d bytes: %.300q", n, err)
	}
}

// A URL that a registry sends one to may be as long as a header.
func TestFault24_LongURLs(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"plain HTTP": "http://evil.example/", "no HTTPS": "ftp://evil.example/"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
				b.reg.Inject(fault.Redirect(path+"$", prefix+swollen))
				wantShort(t, call())
			})
		})
	}
	t.Run("a body that breaks off", func(t *testing.T) {
		t.Parallel()
		b, elsewhere := newFixture(t, packtest.Options{}), start(t, packtest.Options{})
		var w waits
		b.use(t, w.options())
		to := elsewhere.URL() + "/" + strings.Repeat("A", 500<<10) // as long as a server takes it
		b.reg.Inject(fault.RedirectBlob("", to))
		elsewhere.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
			w.Write(b.data[:10])
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		_, err := b.fetch()
		wantShort(t, err)
		if e := as[*registry.Error](t, err); len(e.URL) > 2000 {
			t.Errorf("a URL of %d bytes", len(e.URL))
		}
		for _, told := range w.told {
			wantShort(t, told.Err)
		}
	})
	t.Run("a token endpoint", func(t *testing.T) {
		t.Parallel()
		b := newFixture(t, packtest.Options{})
		realm := b.reg.URL() + "/" + strings.Repeat("A", 500<<10)
		b.reg.Inject(fault.Status("/v2/$", http.StatusUnauthorized, http.Header{"Www-Authenticate": {`Bearer realm="` + realm + `"`}}))
		wantShort(t, b.manifest())
	})
}

func TestFault24_LongContentEncoding(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	b.reg.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Encoding", swollen)
		return false
	})
	err := b.manifest()
	as[*registry.ProtocolError](t, err)
	wantShort(t, err)
}

// Every page's query is remembered, so none is large.
func TestFault28_LongLinks(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]string{8 << 10: "", 8<<10 + 1: "the link to the next page of tags has more than 8192 bytes", len(swollen): "the link to the next page of tags has more than 8192 bytes"} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			query := "last=" + strings.Repeat("a", size-len("last="))
			b.listed(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery == query {
					page(w, "", "b")
					return
				}
				page(w, tagsPath+"?"+query, "a")
			})
			got, err := b.tags()
			if want == "" {
				if err != nil || !slices.Equal(got, []string{"a", "b"}) {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			wantText(t, err, "GET "+b.reg.URL()+tagsPath+": "+want)
			wantRequests(t, b.reg, "GET /v2/", "GET "+tagsPath+"?n=1000")
		})
	}
}

// Of a body without end no more is read than is allowed, not only believed.
func TestFault05_EndlessManifest(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		sent := b.endless(b.manifestPath())
		wantText(t, b.manifest(), "manifest is larger than 4194304 bytes")
		sent(t)
	})
}

func TestFault28_EndlessPage(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		sent := b.endless(tagsPath)
		_, err := b.tags()
		wantText(t, err, "a page of tags is larger than 4194304 bytes")
		sent(t)
	})
}

// endless has b's registry answer a path with white space for as long as it is
// read, up to what shows that it would be read for ever. sent wants that little
// of it was: what is allowed, and what the system holds in between.
func (b *fixture) endless(path string) (sent func(*testing.T)) {
	const enough, allowed = 64 << 20, 24 << 20
	var n atomic.Int64
	var once sync.Once
	done := make(chan struct{})
	b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		defer once.Do(func() { close(done) })
		spaces := []byte(strings.Repeat(" ", 64<<10))
		for n.Load() < enough {
			written, err := w.Write(spaces)
			if n.Add(int64(written)); err != nil {
				break
			}
		}
		return true
	})
	return func(t *testing.T) {
		t.Helper()
		wait(t, "the end of the response", done)
		if got := n.Load(); got > allowed {
			t.Errorf("%d bytes were sent", got)
		}
	}
}

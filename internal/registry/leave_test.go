package registry_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
)

// oddAnswers are answers that end a request early, in every way that there is.
var oddAnswers = map[string]http.HandlerFunc{
	"not found":       http.NotFound,
	"in trouble":      answering(http.StatusBadGateway, "", ""),
	"rate limited":    answering(http.StatusTooManyRequests, "Retry-After", "3600"),
	"denied":          answering(http.StatusForbidden, "", ""),
	"negotiate":       answering(http.StatusUnauthorized, "Www-Authenticate", "Negotiate"),
	"basic":           answering(http.StatusUnauthorized, "Www-Authenticate", `Basic realm="x"`),
	"realm elsewhere": answering(http.StatusUnauthorized, "Www-Authenticate", `Bearer realm="https://169.254.169.254/"`),
	"realm itself":    answering(http.StatusUnauthorized, "Www-Authenticate", `Bearer realm="/token"`),
	"encoded":         answering(http.StatusOK, "Content-Encoding", "gzip"),
	"a part":          answering(http.StatusPartialContent, "Content-Range", "bytes 1-2/3"),
	"no range":        answering(http.StatusRequestedRangeNotSatisfiable, "", ""),
	"nowhere":         answering(http.StatusFound, "", ""),
	"to no URL":       answering(http.StatusFound, "Location", "https://[::1"),
	"to no host":      answering(http.StatusFound, "Location", "https:///x"),
	"to plain HTTP":   answering(http.StatusFound, "Location", "http://127.0.0.1/"),
	"to metadata":     answering(http.StatusFound, "Location", "https://169.254.169.254/"),
	"to itself":       answering(http.StatusTemporaryRedirect, "Location", "?"),
	"next elsewhere":  answering(http.StatusOK, "Link", `<https://elsewhere.example/>; rel="next"`),
	"next the same":   answering(http.StatusOK, "Link", `<?n=1000>; rel="next"`),
	"large header":    answering(http.StatusOK, "X", strings.Repeat("x", 2<<20)),
	"no content":      answering(http.StatusNoContent, "", ""),
	"early hints": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNotFound)
	},
	"too large": func(w http.ResponseWriter, _ *http.Request) {
		for range 5 << 4 {
			w.Write(make([]byte, 64<<10))
		}
	},
	"broken off": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("{"))
	},
	"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"stalls": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("{"))
		if r.Method != http.MethodHead {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	},
}

func answering(status int, header, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			w.Write([]byte("{}" + strings.Repeat(" ", 64<<10))) // more than is read of an error
		}
	}
}

// However a request ends, another one gets its place: here there is only one.
func TestLaneGivesBack(t *testing.T) {
	t.Parallel()
	for name, odd := range oddAnswers {
		for _, path := range []string{"/v2/", "/v2/x", "/token"} {
			t.Run(name+" to "+path, func(t *testing.T) {
				t.Parallel()
				var good atomic.Bool
				p := servePopular(t, 0, func(w http.ResponseWriter, r *http.Request) {
					at := r.URL.Path
					switch isOdd := strings.HasPrefix(at, path) && (path != "/v2/" || at == path); {
					case good.Load():
					case isOdd:
						odd(w, r)
					case path == "/token":
						answering(http.StatusUnauthorized, "Www-Authenticate", `Bearer realm="https://`+r.Host+`/token"`)(w, r)
					}
				})
				who := credentials.Credentials{Username: "u", Password: "p"}
				if name == "denied" {
					who = credentials.Credentials{IdentityToken: "t"}
				}
				stall := patience
				if name == "stalls" {
					stall = time.Second
				}
				c := registry.New(registry.Options{
					Transport: trusting(t, func(tr *http.Transport) { tr.MaxConnsPerHost = 1 }),
					Sleep:     once, Stall: stall,
					Keychain: &keychain{has: map[string]credentials.Credentials{p.host: who}},
				})
				ref := ociref.Reference{Registry: p.host, Repository: "x", Tag: "1"}
				digest := ociref.DigestOf(nil)
				c.Ping(t.Context(), p.host)
				c.Manifest(t.Context(), ref)
				c.Unchanged(t.Context(), ref, digest)
				c.Blob(t.Context(), ref, contentOf([]byte("{}")), discard, strings.NewReader("{"))
				c.Tags(t.Context(), ref)
				c.Referrers(t.Context(), ref, digest, "")
				good.Store(true)
				if _, err := c.Ping(t.Context(), p.host); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Package fault makes a registry of packtest misbehave.
package fault

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// First returns f for its first n matching requests.
func First(n int64, f packtest.Fault) packtest.Fault {
	var seen atomic.Int64
	return packtest.Fault{
		Match: func(r *http.Request) bool { return f.Match(r) && seen.Add(1) <= n },
		Serve: f.Serve,
	}
}

// After returns f for all but its first n matching requests.
func After(n int64, f packtest.Fault) packtest.Fault {
	var seen atomic.Int64
	return packtest.Fault{
		Match: func(r *http.Request) bool { return f.Match(r) && seen.Add(1) > n },
		Serve: f.Serve,
	}
}

// Only returns f for requests with that method.
func Only(method string, f packtest.Fault) packtest.Fault {
	return packtest.Fault{
		Match: func(r *http.Request) bool { return r.Method == method && f.Match(r) },
		Serve: f.Serve,
	}
}

// Over returns outer with inner as the registry behind it, so that, say, a body that
// breaks off is wrong as well.
func Over(outer, inner packtest.Fault) packtest.Fault {
	return packtest.Fault{
		Match: outer.Match,
		Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			outer.Serve(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if inner.Match(r) {
					inner.Serve(w, r, honest)
				} else {
					honest.ServeHTTP(w, r)
				}
			}))
		},
	}
}

// under matches every request whose path starts with prefix, or equals it if prefix
// ends in "$".
func under(prefix string) func(*http.Request) bool {
	path, exact := strings.CutSuffix(prefix, "$")
	return func(r *http.Request) bool {
		return r.URL.Path == path || !exact && strings.HasPrefix(r.URL.Path, path)
	}
}

// blob matches GET requests for one blob, or for all if digest is empty.
func blob(digest ociref.Digest) func(*http.Request) bool {
	return func(r *http.Request) bool {
		_, kind, reference := packtest.Endpoint(r.URL.Path)
		return r.Method == http.MethodGet && kind == "blobs" && (digest == "" || reference == digest.String())
	}
}

// manifestOf matches GET and HEAD requests for one tag or digest, or for all
// if reference is empty.
func manifestOf(reference string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		_, kind, got := packtest.Endpoint(r.URL.Path)
		read := r.Method == http.MethodGet || r.Method == http.MethodHead
		return read && kind == "manifests" && (reference == "" || got == reference)
	}
}

// altered serves the honest answer after change. Answers other than 200 and 206, such
// as a token challenge, pass unchanged.
func altered(change func(w http.ResponseWriter, r *http.Request, a answer)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		recorder := httptest.NewRecorder()
		honest.ServeHTTP(recorder, r)
		for key, values := range recorder.Header() {
			w.Header()[key] = values
		}
		a := answer{recorder.Code, recorder.Body.Bytes()}
		if a.status != http.StatusOK && a.status != http.StatusPartialContent {
			a.send(w)
			return
		}
		change(w, r, a)
	}
}

// headed serves the honest answer with its header after change.
func headed(match func(*http.Request) bool, change func(http.Header)) packtest.Fault {
	return packtest.Fault{Match: match, Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		change(w.Header())
		a.send(w)
	})}
}

// set sets a key of a header, or removes it if value is empty.
func set(key, value string) func(http.Header) {
	return func(h http.Header) {
		if h.Set(key, value); value == "" {
			h.Del(key)
		}
	}
}

// huge pads the body with spaces at its end to size bytes.
func huge(match func(*http.Request) bool, size int) packtest.Fault {
	return packtest.Fault{Match: match, Serve: altered(func(w http.ResponseWriter, _ *http.Request, a answer) {
		a.body = padded(a.body, size)
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		a.send(w)
	})}
}

// An answer is the status and the body of a response; the ResponseWriter holds its
// header already.
type answer struct {
	status int
	body   []byte
}

func (a answer) send(w http.ResponseWriter) {
	w.WriteHeader(a.status)
	w.Write(a.body)
}

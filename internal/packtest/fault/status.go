package fault

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet every request whose path starts with prefix, including
// tokens (/token) and the version check (/v2/). A prefix ending in "$" must be the
// whole path: "/v2/$" is the version check alone.

// Status answers with a registry error. It adds header, such as Retry-After, which may
// be nil.
func Status(prefix string, status int, header http.Header) packtest.Fault {
	code := map[int]string{
		http.StatusUnauthorized:    "UNAUTHORIZED",
		http.StatusForbidden:       "DENIED",
		http.StatusNotFound:        "MANIFEST_UNKNOWN",
		http.StatusTooManyRequests: "TOOMANYREQUESTS",
	}[status]
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for key, values := range header {
			w.Header()[http.CanonicalHeaderKey(key)] = values
		}
		packtest.Refuse(w, status, cmp.Or(code, "UNKNOWN"), strings.ToLower(http.StatusText(status)))
	}}
}

// RetryAfterDate is Status with a date as Retry-After, the given number of seconds
// after the response's own Date, which is in the year 2100.
func RetryAfterDate(prefix string, status, seconds int) packtest.Fault {
	now := time.Date(2100, time.January, 1, 12, 0, 0, 0, time.UTC)
	return Status(prefix, status, http.Header{
		"Date":        {now.Format(http.TimeFormat)},
		"Retry-After": {now.Add(time.Duration(seconds) * time.Second).Format(http.TimeFormat)},
	})
}

// ErrorBody answers with body as it is, such as megabytes or terminal escapes: see
// [ANSI].
func ErrorBody(prefix string, status int, body []byte) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		answer{status, body}.send(w)
	}}
}

// ANSI is an error body that clears the terminal and forges a line of output.
const ANSI = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\x1b[2J\x1b[1;31mpackvendor: done\x1b[0m\r\n\\u001b]0;owned\\u0007\"}]}"

// Stall sends nothing until the client gives up or the registry stops.
func Stall(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}}
}

// Redirect redirects every request under prefix to url with 307.
func Redirect(prefix, url string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		redirect(w, url)
	}}
}

// RedirectLoop redirects each request under prefix to its own path with a counter, for
// ever.
func RedirectLoop(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		hop, _ := strconv.Atoi(r.URL.Query().Get("hop"))
		redirect(w, r.URL.Path+"?hop="+strconv.Itoa(hop+1))
	}}
}

// RedirectBlob redirects GET requests for a blob, or all if digest is empty, to url,
// like registries with their blobs in another service.
func RedirectBlob(digest ociref.Digest, url string) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, _ answer) {
		clear(w.Header())
		redirect(w, url)
	})}
}

// PresignBlob redirects GET requests for a blob, or all if digest is empty, to the same
// path below root with a new signature each time. A registry there needs [SignedOnce]
// to accept each signature only once.
func PresignBlob(digest ociref.Digest, root string) packtest.Fault {
	var given atomic.Int64
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, _ answer) {
		clear(w.Header())
		query := url.Values{signature: {"secret-signature-" + strconv.FormatInt(given.Add(1), 10)}}
		redirect(w, root+r.URL.Path+"?"+query.Encode())
	})}
}

const signature = "X-Amz-Signature"

// SignedOnce serves requests under prefix with a new signature, and refuses others with
// 403. As in S3, a request with a signature and an Authorization header is a bad one.
func SignedOnce(prefix string) packtest.Fault {
	var mu sync.Mutex
	used := map[string]bool{"": true}
	use := func(signature string) bool {
		mu.Lock()
		defer mu.Unlock()
		was := used[signature]
		used[signature] = true
		return !was
	}
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		switch {
		case r.Header.Get("Authorization") != "":
			refuseXML(w, http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed")
		case !use(r.URL.Query().Get(signature)):
			refuseXML(w, http.StatusForbidden, "AccessDenied", "Request has expired")
		default:
			honest.ServeHTTP(w, r)
		}
	}}
}

func refuseXML(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	answer{status, []byte("<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>")}.send(w)
}

func redirect(w http.ResponseWriter, url string) {
	w.Header().Set("Location", url)
	w.WriteHeader(http.StatusTemporaryRedirect)
}

package fault

import (
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// Redirect redirects every request under prefix to url with 307.
func Redirect(prefix, url string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		redirect(w, url)
	}}
}

// RedirectLoop redirects each request under prefix to its own path with a
// counter, for ever.
func RedirectLoop(prefix string) packtest.Fault {
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		hop, _ := strconv.Atoi(r.URL.Query().Get("hop"))
		redirect(w, r.URL.Path+"?hop="+strconv.Itoa(hop+1))
	}}
}

// RedirectBlob redirects GET requests for a blob, or all if digest is empty, to
// url, as registries do that keep their blobs in another service.
func RedirectBlob(digest ociref.Digest, url string) packtest.Fault {
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, _ *http.Request, _ answer) {
		clear(w.Header())
		redirect(w, url)
	})}
}

// PresignBlob redirects GET requests for a blob, or all if digest is empty, to
// the same path below root with a signature that is another one each time. A
// registry there that is to accept each only once needs [SignedOnce].
func PresignBlob(digest ociref.Digest, root string) packtest.Fault {
	var given atomic.Int64
	return packtest.Fault{Match: blob(digest), Serve: altered(func(w http.ResponseWriter, r *http.Request, _ answer) {
		clear(w.Header())
		query := url.Values{signature: {"secret-signature-" + strconv.FormatInt(given.Add(1), 10)}}
		redirect(w, root+r.URL.Path+"?"+query.Encode())
	})}
}

const signature = "X-Amz-Signature"

// SignedOnce serves requests under prefix that have a signature which none
// before had, and refuses others with 403. As in S3, a request with a
// signature and an Authorization header is a bad one.
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

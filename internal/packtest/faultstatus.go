package packtest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// The faults of this file meet every request whose path starts with prefix,
// tokens (/token) and the version check (/v2/) included. A prefix that ends in
// "$" must be the whole path: "/v2/$" is the version check alone.

// Status answers with an error of the registry. Header, such as Retry-After,
// is added to it and may be nil.
func Status(prefix string, status int, header http.Header) Fault {
	code := map[int]string{
		http.StatusUnauthorized:    "UNAUTHORIZED",
		http.StatusForbidden:       "DENIED",
		http.StatusNotFound:        "MANIFEST_UNKNOWN",
		http.StatusTooManyRequests: "TOOMANYREQUESTS",
	}[status]
	return Fault{under(prefix), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for key, values := range header {
			w.Header()[http.CanonicalHeaderKey(key)] = values
		}
		refuse(w, status, cmp.Or(code, "UNKNOWN"), strings.ToLower(http.StatusText(status)))
	}}
}

// ErrorBody answers with body as it is, say megabytes of it or terminal
// escapes: see [ANSI].
func ErrorBody(prefix string, status int, body []byte) Fault {
	return Fault{under(prefix), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		answer{status, body}.send(w)
	}}
}

// ANSI is an error body that clears the terminal and forges a line of output.
const ANSI = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\x1b[2J\x1b[1;31mpackvendor: done\x1b[0m\r\n\\u001b]0;owned\\u0007\"}]}"

// Redirect redirects to url with 307.
func Redirect(prefix, url string) Fault {
	return Fault{under(prefix), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Location", url)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}
}

// RedirectLoop redirects each request to its own path with a counter, for
// ever.
func RedirectLoop(prefix string) Fault {
	return Fault{under(prefix), func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		hop, _ := strconv.Atoi(r.URL.Query().Get("hop"))
		w.Header().Set("Location", r.URL.Path+"?hop="+strconv.Itoa(hop+1))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}
}

// Stall sends nothing until the client gives up or the registry stops.
func Stall(prefix string) Fault {
	return Fault{under(prefix), func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}}
}

// Drop resets the connection (with HTTP/2, the stream) without an answer.
func Drop(prefix string) Fault {
	return Fault{under(prefix), func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		reset(w)
	}}
}

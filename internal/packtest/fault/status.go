package fault

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// The faults of this file meet every request whose path starts with prefix,
// tokens (/token) and the version check (/v2/) included. A prefix that ends in
// "$" must be the whole path: "/v2/$" is the version check alone.

// Status answers with an error of the registry. Header, such as Retry-After,
// is added to it and may be nil.
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

// RetryAfterDate is Status with a Retry-After that is a date, the given number of
// seconds after the response's own Date, which is in the year 2100.
func RetryAfterDate(prefix string, status, seconds int) packtest.Fault {
	now := time.Date(2100, time.January, 1, 12, 0, 0, 0, time.UTC)
	return Status(prefix, status, http.Header{
		"Date":        {now.Format(http.TimeFormat)},
		"Retry-After": {now.Add(time.Duration(seconds) * time.Second).Format(http.TimeFormat)},
	})
}

// ErrorBody answers with body as it is, say megabytes of it or terminal
// escapes: see [ANSI].
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

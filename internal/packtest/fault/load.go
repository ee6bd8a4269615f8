package fault

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

// Busy answers 429 to a request under prefix while n others are being answered, with a
// Retry-After unless it is "". Each answer takes a few milliseconds.
func Busy(prefix string, n int64, after string) packtest.Fault {
	var answering atomic.Int64
	refusal := Status(prefix, http.StatusTooManyRequests, retryAfter(after))
	return packtest.Fault{Match: under(prefix), Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
		defer answering.Add(-1)
		if answering.Add(1) > n {
			refusal.Serve(w, r, honest)
			return
		}
		time.Sleep(5 * time.Millisecond)
		honest.ServeHTTP(w, r)
	}}
}

// Together returns f for its first n matching requests, and holds them until all are there.
func Together(n int64, f packtest.Fault) packtest.Fault {
	var seen atomic.Int64
	all := make(chan struct{})
	return packtest.Fault{
		Match: func(r *http.Request) bool {
			if !f.Match(r) {
				return false
			}
			place := seen.Add(1)
			if place == n {
				close(all)
			}
			return place <= n
		},
		Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			select {
			case <-all:
				f.Serve(w, r, honest)
			case <-r.Context().Done():
			}
		},
	}
}

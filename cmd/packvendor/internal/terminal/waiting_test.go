package terminal

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// The first lines come after 10, 30 and 60 seconds, then one every minute, until
// there is nothing to wait for.
func TestWaitingSchedule(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var said []string
			begun := time.Now()
			w := NewWaiting(func(format string, args ...any) {
				said = append(said, fmt.Sprintf("%s: "+format, append([]any{time.Since(begun)}, args...)...))
			}, nil)
			w.Start(wanted)
			time.Sleep(10*time.Second - 1)
			synctest.Wait()
			w.mu.Lock() // under which it is said
			if len(said) > 0 {
				t.Errorf("said too soon: %q", said)
			}
			w.mu.Unlock()
			time.Sleep(3*time.Minute + 30*time.Second)
			w.End()
			time.Sleep(time.Hour)
			var want []string
			for _, at := range []string{"10s", "30s", "1m0s", "2m0s", "3m0s"} {
				want = append(want, fmt.Sprintf("%[1]s: after %[1]s: still at work", at))
			}
			if !wanted {
				want = nil
			}
			if !slices.Equal(said, want) {
				t.Errorf("wanted %t: got %q, want %q", wanted, said, want)
			}
		})
	}
}

func TestWaitingText(t *testing.T) {
	retry := func(host string, try int) vendorer.Event {
		err := &packfetch.RegistryError{Method: "GET", URL: "https://" + host + "/v2/", Host: host, Err: errors.New("connection refused")}
		return vendorer.Fetching{Event: packfetch.Retrying{Err: err, Try: try, Of: 5}}
	}
	lock := vendorer.Fetching{Event: packfetch.Waiting{Reference: "r.example/a:1"}}
	fetching := vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 3, Done: 1, Bytes: 3_000_000, BytesDone: 2_000_000}
	one := vendorer.Progress{Phase: vendorer.PhaseFetching, Packs: 1, Bytes: 3_000_000, BytesDone: 20}
	resolving := vendorer.Progress{Phase: vendorer.PhaseResolving, Packs: 2}
	for _, test := range []struct {
		name  string
		notes func(w *Waiting)
		want  string
	}{
		{"nothing", func(*Waiting) {}, "still at work"},
		{"a phase", func(w *Waiting) { w.Advance(resolving) }, "resolving 0/2 packs"},
		{"bytes", func(w *Waiting) { w.Advance(fetching) }, "fetching 1/3 packs, 2.00/3.00 MB"},
		{"one pack", func(w *Waiting) { w.Advance(one) }, "fetching, 20.0 B/3.00 MB"},
		{"a host", func(w *Waiting) { w.Advance(resolving); w.Underway("a:1", 1) }, "resolving 0/2 packs; waiting for a:1"},
		{"a host twice", func(w *Waiting) { w.Underway("a", 1); w.Underway("a", 1); w.Underway("a", -1) }, "waiting for a"},
		{"a host that answered", func(w *Waiting) { w.Underway("a", 1); w.Underway("a", -1) }, "still at work"},
		{"many hosts", func(w *Waiting) {
			for _, host := range []string{"e", "d", "c", "b", "a"} {
				w.Underway(host, 1)
			}
		}, "waiting for a, b, c, 2 more"},
		{"a retry", func(w *Waiting) { w.Event(retry("a", 2)); w.Event(retry("a", 3)) }, "GET https://a/v2/: connection refused: trying again (3 of 5)"},
		{"a retry under way", func(w *Waiting) { w.Event(retry("a", 2)); w.Underway("a", 1) }, "waiting for a"},
		{"one of two", func(w *Waiting) { w.Event(retry("a", 2)); w.Underway("b", 1) }, "waiting for b; GET https://a/v2/: connection refused: trying again (2 of 5)"},
		{"a lock", func(w *Waiting) { w.Advance(resolving); w.Event(lock) }, "resolving 0/2 packs; waiting for another process, which is fetching r.example/a:1"},
		{"a lock that was given up", func(w *Waiting) { w.Event(lock); w.Advance(fetching) }, "fetching 1/3 packs, 2.00/3.00 MB"},
		{"the project", func(w *Waiting) { w.Event(vendorer.WaitingForProject{File: "packs.toml"}) }, "waiting for another packvendor, which is at work on packs.toml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := NewWaiting(nil, func(time.Duration, func()) func() { return func() {} })
			w.Start(true)
			test.notes(w)
			if got := w.text(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

package network

import (
	"testing"
	"time"
)

func TestLinkLateness(t *testing.T) {
	var late []time.Duration
	for i := range 200 {
		late = append(late, time.Duration(199-i)*ms)
	}
	if got, want := latenessOf(late), (Lateness{200, 99500 * time.Microsecond, 197 * ms}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := latenessOf([]time.Duration{ms}), (Lateness{1, ms, ms}); got != want {
		t.Errorf("of one delivery: got %v, want %v", got, want)
	}
	for _, test := range []struct {
		after, before time.Duration
		waited        bool
		want          time.Duration
	}{
		{7 * ms, 0, true, 7 * ms},
		{6 * ms, 7 * ms, false, 6 * ms}, // both were due while the timer slept
		{50 * ms, ms, false, ms},        // the receiver has not read for long
	} {
		if got := lateness(test.after, test.before, test.waited); got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
	}
}

// Each delivery counts once, in both directions.
func TestNetworkLateness(t *testing.T) {
	link := newLink(t, Path{Delay: 5 * ms})
	c := dial(t, to(t, link, echo(t)))
	for range 3 {
		wantEcho(t, c)
	}
	if got := link.TakeLateness(); got.Deliveries != 6 || got.Mean <= 0 || got.Most < got.Mean {
		t.Errorf("after 3 echoes: %+v", got)
	}
	if got := link.TakeLateness(); got != (Lateness{}) {
		t.Errorf("afterwards: %+v", got)
	}
}

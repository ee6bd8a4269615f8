package registry

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// All waits of one request that the registry did not ask for are less than 30
// s, whatever the dice say, and no two clients come back together.
func TestFault09_WaitsAreBoundedAndDiffer(t *testing.T) {
	const runs = 200
	var seen [][]time.Duration
	for range runs {
		var waits []time.Duration
		c := &core{sleep: func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		}}
		err := c.retry(context.Background(), func(context.Context) error { return &Error{Status: 500, RetryAfter: -1} })
		var e *Error
		if !errors.As(err, &e) || e.Tries != maxTries || len(waits) != maxTries-1 {
			t.Fatalf("error %v, waits %s", err, waits)
		}
		var sum time.Duration
		for i, d := range waits {
			sum += d
			if d <= 0 || i > 0 && d > 20*waits[i-1] {
				t.Errorf("waits %s", waits)
			}
		}
		if sum >= 30*time.Second || waits[3] <= waits[0] {
			t.Errorf("waits %s, %s in all", waits, sum)
		}
		for _, other := range seen {
			if slices.Equal(waits, other) {
				t.Errorf("waits %s twice", waits)
			}
		}
		seen = append(seen, waits)
	}
	// The most that the dice can give: every interval and half of it.
	pause, most := newBackOff(), time.Duration(0)
	pause.RandomizationFactor = 0
	for range maxTries - 1 {
		d := pause.NextBackOff()
		most += d + d/2
	}
	if most >= 30*time.Second {
		t.Errorf("the waits may be %s in all", most)
	}
}

// A failure that was given up already is not begun anew by whoever waits for
// the same.
func TestGivenUpOnce(t *testing.T) {
	n := 0
	c := &core{sleep: func(context.Context, time.Duration) error { return nil }}
	err := c.retry(context.Background(), func(ctx context.Context) error {
		return c.retry(ctx, func(context.Context) error {
			n++
			return &Error{Status: 503, RetryAfter: -1}
		})
	})
	var e *Error
	if !errors.As(err, &e) || e.Tries != maxTries || n != maxTries {
		t.Errorf("%d tries, error %v", n, err)
	}
}

package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A late is a body that ends properly, when nobody waits for it any more.
type late struct{ ctx context.Context }

func (l late) Read([]byte) (int, error) {
	<-l.ctx.Done()
	return 0, io.EOF
}
func (late) Close() error { return nil }

// When a connection is closed in the middle of a body, a server may still have
// the time to end it in good order: that is no end of what was to come.
func TestFault07_EndAfterTheStall(t *testing.T) {
	t.Parallel()
	transport := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: late{req.Context()}}, nil
	})
	req, err := http.NewRequest(http.MethodGet, "https://registry.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	stalls := 0
	resp, err := watched(transport, req, time.Millisecond, func() { stalls++ })
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	if stall := new(*stallError); !errors.As(err, stall) || err.Error() != "no progress for 1ms" {
		t.Errorf("got %v", err)
	}
}

// A drip is a body that comes in pieces, each after a pause; after those it has
// nothing more, and no end.
type drip struct {
	ctx    context.Context
	pieces []piece
}

type piece struct {
	after time.Duration
	n     int // bytes
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.pieces) == 0 {
		<-d.ctx.Done()
		return 0, d.ctx.Err()
	}
	next := d.pieces[0]
	d.pieces = d.pieces[1:]
	select {
	case <-time.After(next.after):
		return min(next.n, len(p)), nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}
func (*drip) Close() error { return nil }

// A body that comes at less than ten bytes a second is stalled after a minute,
// however often it shows a sign of life.
func TestFault63_Drip(t *testing.T) {
	t.Parallel()
	steady := func(times int, after time.Duration, n int) []piece { return slices.Repeat([]piece{{after, n}}, times) }
	for _, test := range []struct {
		name   string
		pieces []piece
		pause  time.Duration // that the reader makes after each read
		text   string
		after  time.Duration // of waiting, when it ends
		came   int64         // bytes
	}{
		{"nothing", nil, 0, "no progress for 1m0s", time.Minute, 0},
		{"a byte every 59 seconds", steady(100, 59*time.Second, 1), 0, "no progress: 1 byte in 1m0s", time.Minute, 1},
		{"a byte every seven seconds", steady(1000, 7*time.Second, 1), 0, "no progress: 8 bytes in 1m0s", time.Minute, 8},
		{"almost ten a second", steady(1000, 11*time.Second, 109), 0, "no progress: 545 bytes in 1m0s", time.Minute, 545},
		{"eleven a second for an hour", steady(3600, time.Second, 11), 0, "no progress: 275 bytes in 1m0s", time.Hour + 35*time.Second, 39600},
		{"600 every 59 seconds", steady(10, 59*time.Second, 600), 0, "no progress for 1m0s", 650 * time.Second, 6000},
		{"fast, and then a drip", append(steady(100, time.Second, 10_000), steady(100, 25*time.Second, 1)...), 0, "no progress: 2 bytes in 1m0s", 160 * time.Second, 1_000_002},
		{"fast enough, for a slow reader", steady(110, time.Second, 11), time.Minute, "no progress for 1m0s", 170 * time.Second, 1210},
		{"too slow, for a slow reader", steady(100, 7*time.Second, 1), time.Minute, "no progress: 8 bytes in 1m0s", time.Minute, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport := roundTripper(func(req *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusOK, Body: &drip{req.Context(), test.pieces}}, nil
				})
				req, err := http.NewRequest(http.MethodGet, "https://registry.example/", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := watched(transport, req, DefaultStall, func() {})
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				var waited time.Duration
				var came int64
				for buf := make([]byte, 32<<10); err == nil; time.Sleep(test.pause) {
					begun := time.Now()
					var n int
					n, err = resp.Body.Read(buf)
					came += int64(n)
					waited += time.Since(begun)
				}
				if err.Error() != test.text || waited != test.after || came != test.came {
					t.Errorf("after %s and %d bytes %q, want %s, %d, %q", waited, came, err, test.after, test.came, test.text)
				}
			})
		})
	}
}

// A request that is under no stall leaves nothing running behind.
func TestWatchdogSleepsWhileNobodyReads(t *testing.T) {
	t.Parallel()
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.LimitReader(zeros{}, 3))}, nil
	})
	req, err := http.NewRequest(http.MethodGet, "https://registry.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	barked := make(chan struct{}, 1)
	resp, err := watched(transport, req, 20*time.Millisecond, func() { barked <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	for range 3 {
		if n, err := resp.Body.Read(one); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		select {
		case <-barked:
			t.Fatal("the reader's own time counted")
		case <-time.After(40 * time.Millisecond):
		}
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

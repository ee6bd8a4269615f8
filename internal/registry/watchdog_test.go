package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
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
	lane := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: late{req.Context()}}, nil
	})
	req, err := http.NewRequest(http.MethodGet, "https://registry.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	stalls := 0
	resp, err := watched(lane, req, time.Millisecond, func() { stalls++ })
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	if stall := new(*stallError); !errors.As(err, stall) || err.Error() != "no progress for 1ms" {
		t.Errorf("got %v", err)
	}
}

// A request that is under no stall leaves nothing running behind.
func TestWatchdogSleepsWhileNobodyReads(t *testing.T) {
	t.Parallel()
	lane := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.LimitReader(zeros{}, 3))}, nil
	})
	req, err := http.NewRequest(http.MethodGet, "https://registry.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	barked := make(chan struct{}, 1)
	resp, err := watched(lane, req, 20*time.Millisecond, func() { barked <- struct{}{} })
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

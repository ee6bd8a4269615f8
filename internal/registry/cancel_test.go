package registry_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// arrival returns a channel that is closed when a request for path arrives.
func arrival(reg *packtest.Registry, path string) <-chan struct{} {
	arrived := make(chan struct{})
	var once sync.Once
	reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == path {
			once.Do(func() { close(arrived) })
		}
		return false
	})
	return arrived
}

func wait(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s: nothing after %s", what, patience)
	}
}

// ended runs call and returns a channel that gives its error.
func ended(call func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return done
}

func wantCanceled(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want one that is context.Canceled", err)
		}
		as[*registry.Error](t, err)
	case <-time.After(patience):
		t.Fatalf("not ended %s after it was cancelled", patience)
	}
}

func TestFault07_CancelWhileTheAnswerStalls(t *testing.T) {
	everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, _ func() error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		arrived := arrival(b.reg, path)
		b.reg.Inject(fault.Stall(path + "$"))
		done := ended(func() error {
			if _, err := b.client.Manifest(ctx, b.byTag()); err != nil {
				return err
			}
			return b.client.Blob(ctx, b.byDigest(), b.content(), writerFunc(func(p []byte) (int, error) { return len(p), nil }), nil)
		})
		wait(t, "request", arrived)
		cancel()
		wantCanceled(t, done)
	})
}

func TestFault07_CancelWhileTheBodyStalls(t *testing.T) {
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b.reg.Inject(fault.StallBlob("", 40))
		var n int
		done := ended(func() error {
			return b.client.Blob(ctx, b.byDigest(), b.content(), writerFunc(func(p []byte) (int, error) {
				if n += len(p); n >= 40 {
					cancel()
				}
				return len(p), nil
			}), nil)

		})
		wantCanceled(t, done)
	})
}

// A cancelled ping or token is nobody else's failure: the next request asks
// again.
func TestFault07_CancelIsNotKept(t *testing.T) {
	for _, path := range []string{"/v2/", "/token"} {
		b := newFixture(t, packtest.Options{Token: true})
		ctx, cancel := context.WithCancel(context.Background())
		arrived := arrival(b.reg, path)
		b.reg.Inject(fault.First(1, fault.Stall(path+"$")))
		done := ended(func() error {
			_, err := b.client.Manifest(ctx, b.byTag())
			return err
		})
		wait(t, path, arrived)
		cancel()
		wantCanceled(t, done)
		if err := b.manifest(); err != nil {
			t.Errorf("%s: after the cancelled request: %v", path, err)
		}
	}
}

// One request waits for what another asked: its own context still ends it.
func TestFault07_CancelWhileAnotherAsks(t *testing.T) {
	for _, path := range []string{"/v2/", "/token"} {
		t.Run(path, func(t *testing.T) {
			b := newFixture(t, packtest.Options{Token: true})
			first, cancelFirst := context.WithCancel(context.Background())
			defer cancelFirst()
			arrived := arrival(b.reg, path)
			b.reg.Inject(fault.Stall(path + "$"))
			firstDone := ended(func() error {
				_, err := b.client.Manifest(first, b.byTag())
				return err
			})
			wait(t, "the first request", arrived)

			second, cancelSecond := context.WithCancel(context.Background())
			cancelSecond()
			done := ended(func() error {
				_, err := b.client.Manifest(second, b.byTag())
				return err
			})
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want one that is context.Canceled", err)
				}
			case <-time.After(patience / 4):
				t.Error("a cancelled request waits for another's answer")
			}
			cancelFirst()
			wantCanceled(t, firstDone)
		})
	}
}

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// stall is the time after which tests end a silent request; it is longer where a busy
// machine must not pass for a silent registry.
const (
	stall    = 1500 * time.Millisecond
	nowStall = 2 * time.Second
)

func TestFault07_AnswerStalls(t *testing.T) {
	t.Parallel()
	everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, call func() error) {
		t.Parallel()
		b.use(t, registry.Options{Stall: stall})
		b.reg.Inject(fault.Stall(path + "$"))
		err := call()
		wantText(t, err, "GET "+b.reg.URL()+path+": no progress for "+stall.String()+afterTries)
		if e := as[*registry.Error](t, err); e.Status != 0 || e.Tries != 5 || e.MayBePlain() {
			t.Errorf("got %+v", e)
		}
	})
}

func TestFault07_BodyStalls(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.use(t, registry.Options{Stall: stall})
		b.reg.Inject(fault.StallBlob("", 40))
		_, err := b.fetch()
		as[*registry.Error](t, err)
		of := fmt.Sprintf(" of %d bytes", len(b.data))
		if !strings.HasPrefix(err.Error(), "GET "+b.reg.URL()+b.blobPath()+": the body broke off after ") ||
			!strings.HasSuffix(err.Error(), of+": no progress for "+stall.String()+afterTries) {
			t.Errorf("got %q", err)
		}

		b.reg.Inject(fault.First(1, fault.StallBlob("", 40)))
		got, err := b.fetch()
		b.wantPack(t, got, err)
	})
}

func TestFault07_ManifestStalls(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.use(t, registry.Options{Stall: stall})
		b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != b.manifestPath() {
				return false
			}
			fmt.Fprint(w, `{"schemaVersion":2,`)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		})
		wantText(t, b.manifest(), "GET "+b.reg.URL()+b.manifestPath()+": the manifest broke off: no progress for "+stall.String()+afterTries)
	})
}

// Without faults, one connection serves ping, token, manifest and blob.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, private(packtest.Options{Token: true}), func(t *testing.T, b *fixture) {
		w := &wire{}
		b.use(t, registry.Options{Transport: w.over(b.reg.Transport()), Keychain: b.holding(good())})
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		got, err := b.fetch()
		b.wantPack(t, got, err)
		if n := len(w.targets()); n != 1 {
			t.Errorf("%d connections, want 1", n)
		}
	})
}

// A connection that leads nowhere is found out, and not used again: HTTP/2 would
// send every further request over it.
func TestFault07_RetryDialsAnew(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		w := &wire{}
		var told []registry.Retry
		b.use(t, registry.Options{
			Transport: w.over(b.reg.Transport()),
			Stall:     nowStall,
			Retrying:  func(r registry.Retry) { told = append(told, r) },
		})
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		if n := len(w.targets()); n != 1 {
			t.Fatalf("%d connections for a ping and a manifest, want 1", n)
		}
		w.cutAll()
		b.reg.ResetRequests()
		got, err := b.fetch()
		b.wantPack(t, got, err)
		wantRequests(t, b.reg, "GET "+b.blobPath())
		if n := len(w.targets()); n != 2 {
			t.Errorf("%d connections in all, want 2", n)
		}
		if len(told) != 1 || told[0].Err.Error() != "GET "+b.reg.URL()+b.blobPath()+": no progress for "+nowStall.String() {
			t.Errorf("retries: %+v", told)
		}
	})
}

// Dialling anew is for what follows: what another request is reading goes on. A
// reader that takes its time is no stall either.
func TestFault07_OthersGoOn(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{HTTP2: true})
	b.use(t, registry.Options{Stall: nowStall})
	long := make([]byte, 8<<20) // more than HTTP/2 sends unasked
	want := verified.Content{Digest: b.reg.PutBlob(repository, long), Size: int64(len(long))}
	begun, goOn := make(chan struct{}), make(chan struct{})
	first := true
	done := ended(func() error {
		return b.client.Blob(context.Background(), b.byDigest(), want, writerFunc(func(p []byte) (int, error) {
			if first {
				first = false
				close(begun)
				<-goOn
			}
			return len(p), nil
		}), nil)

	})
	wait(t, "the blob", begun)
	b.reg.Inject(fault.First(1, fault.Stall(b.manifestPath())))
	if err := b.manifest(); err != nil {
		t.Error(err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := ranges(b.reg); !slices.Equal(got, []string{""}) {
		t.Errorf("Range headers %q: the blob was broken off", got)
	}
	if n := count(b.reg, b.manifestPath()); n != 2 {
		t.Errorf("%d requests for the manifest, want 2", n)
	}
}

// Slow is not stalled: each byte is a sign of life, however long all take.
func TestFault07_SlowButSteady(t *testing.T) {
	t.Parallel()
	onEachProtocol(t, packtest.Options{}, func(t *testing.T, b *fixture) {
		b.use(t, registry.Options{Stall: nowStall})
		b.reg.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != b.blobPath() {
				return false
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(b.data)))
			for i := range 12 { // the pace is what is tested: twice as fast as it must be
				w.Write(b.data[4*i : 4*i+4])
				http.NewResponseController(w).Flush()
				<-time.After(nowStall / 10)
			}
			w.Write(b.data[48:])
			return true
		})
		got, err := b.fetch()
		b.wantPack(t, got, err)
		wantRanges(t, b.reg, "")
	})
}

// The wait before a retry ends when nobody wants its outcome any more.
func TestFault07_CancelWhileWaitingForARetry(t *testing.T) {
	t.Parallel()
	everyRequest(t, packtest.Options{}, func(t *testing.T, b *fixture, path string, _ func() error) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		waiting := make(chan struct{})
		b.use(t, registry.Options{Sleep: func(ctx context.Context, _ time.Duration) error {
			close(waiting)
			return registry.Sleep(ctx, time.Hour)
		}})
		b.reg.Inject(fault.Status(path+"$", http.StatusServiceUnavailable, nil))
		done := ended(func() error {
			if _, err := b.client.Manifest(ctx, b.byTag()); err != nil {
				return err
			}
			return b.client.Blob(ctx, b.byDigest(), b.content(), discard, nil)
		})
		wait(t, "the wait", waiting)
		cancel()
		select {
		case err := <-done:
			wantText(t, err, "GET "+b.reg.URL()+path+": context canceled")
			if e := as[*registry.Error](t, err); e.Tries != 0 || e.Status != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("got %+v", e)
			}
		case <-time.After(time.Second):
			t.Fatal("not ended a second after it was cancelled")
		}
		if n := count(b.reg, path); path != "/v2/" && n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
}

// Each waits for the first one's ping no longer than its own context.
func TestFault07_CancelWhileAnotherRetries(t *testing.T) {
	t.Parallel()
	b := newFixture(t, packtest.Options{})
	waiting, release := make(chan struct{}), make(chan struct{})
	b.use(t, registry.Options{Sleep: func(context.Context, time.Duration) error {
		close(waiting)
		<-release
		return nil
	}})
	b.reg.Inject(fault.First(1, fault.Status("/v2/$", http.StatusServiceUnavailable, nil)))
	first := ended(b.manifest)
	wait(t, "the first one's wait", waiting)
	ctx, cancel := context.WithCancel(context.Background())
	second := ended(func() error {
		_, err := b.client.Manifest(ctx, b.byTag())
		return err
	})
	cancel()
	wantCanceled(t, second)
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	wantRequests(t, b.reg, "GET /v2/", "GET /v2/", "GET "+b.manifestPath())
}

func TestSleep(t *testing.T) {
	if err := registry.Sleep(context.Background(), time.Nanosecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	gone := errors.New("gone")
	cancel(gone)
	if err := registry.Sleep(ctx, time.Hour); err != gone {
		t.Errorf("got %v, want the context's cause", err)
	}
}

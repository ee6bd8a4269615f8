package packtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// begin starts a request by a client that the caller keeps.
func begin(t *testing.T, ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(req)
}

// wantRead reads the body of a response that has to be as it should.
func wantRead(t *testing.T, resp *http.Response, err error, want string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if got := readReply(resp); got.err != nil || string(got.body) != want {
		t.Errorf("%s: %q, %v; want %q", resp.Request.URL, got.body, got.err, want)
	}
}

func TestFreezeAndThaw(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b faultBed) {
		old := b.Client()
		resp, err := begin(t, t.Context(), old, b.URL()+b.byTag)
		wantRead(t, resp, err, string(b.pushed.Manifest))
		thaw := b.Freeze()
		b.ResetRequests()
		answered := make(chan error)
		go func() {
			resp, err := begin(t, t.Context(), old, b.URL()+"/v2/")
			if err == nil {
				err = readReply(resp).err
			}
			answered <- err
		}()
		// Another connection works meanwhile, and the frozen one does not.
		wantReply(t, ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
		select {
		case err := <-answered:
			t.Errorf("answered by a frozen connection: %v", err)
		default:
		}
		if got := b.Requests(); len(got) != 1 || got[0].Path != b.blobPath {
			t.Errorf("requests = %v, want that of the new connection", got)
		}
		thaw()
		thaw()
		if err := <-answered; err != nil {
			t.Errorf("after the thaw: %v", err)
		}
		if got := len(b.Requests()); got != 2 {
			t.Errorf("%d requests after the thaw, want 2", got)
		}
	})
}

// What is being answered when the connection freezes does not get out, either.
func TestFreezeHoldsAnswersBack(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b faultBed) {
		arrived, proceed := make(chan bool), make(chan bool)
		b.Inject(First(1, Fault{under("/v2/$"), func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			arrived <- true
			<-proceed
			honest.ServeHTTP(w, r)
		}}))
		answered := make(chan reply)
		go func() {
			got, err := try(t, b.Registry, "GET", "/v2/")
			if err != nil {
				t.Error(err)
			}
			answered <- got
		}()
		<-arrived
		thaw := b.Freeze()
		close(proceed)
		for range 3 {
			wantReply(t, ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
		}
		select {
		case got := <-answered:
			t.Errorf("a frozen connection ended with %+v", got)
		default:
			thaw()
			wantReply(t, <-answered, 200, "")
		}
	})
}

// awaitFreeze returns when a connection is frozen.
func awaitFreeze(t *testing.T, r *Registry) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); runtime.Gosched() {
		for _, c := range r.listener.all() {
			select {
			case <-c.gate():
			default:
				return
			}
		}
	}
	t.Error("no connection was frozen")
}

// A frozen connection takes what it holds with it when the registry stops.
func TestStopEndsTheFreeze(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b faultBed) {
		b.Inject(First(1, FreezeBlob(b.blob, 4)))
		client := b.Client()
		resp, err := begin(t, t.Context(), client, b.URL()+b.blobPath)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, head); err != nil || string(head) != "0123" {
			t.Errorf("read %q, %v; want 0123", head, err)
		}
		awaitFreeze(t, b.Registry) // which follows the bytes that have come
		// Only what is on another connection is answered.
		if b.opts.HTTP2 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := begin(t, ctx, client, b.URL()+"/v2/"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second stream of the connection: %v, want %v", err, context.DeadlineExceeded)
			}
		}
		wantReply(t, ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if rest, err := io.ReadAll(resp.Body); err == nil || len(rest) > 0 {
			t.Errorf("the rest of the body is %q, %v", rest, err)
		}
	})
}

// What pings an HTTP/2 connection finds out that it is dead.
func TestFrozenConnectionAnswersNoPing(t *testing.T) {
	b := newFaultBed(t, Options{HTTP2: true})
	b.Inject(First(1, Freeze("/v2/")))
	client := b.Client()
	client.Transport.(*http.Transport).HTTP2 = &http.HTTP2Config{SendPingTimeout: 20 * time.Millisecond, PingTimeout: 20 * time.Millisecond}
	if _, err := begin(t, t.Context(), client, b.URL()+"/v2/"); err == nil || !strings.Contains(err.Error(), "client connection lost") {
		t.Errorf("request = %v, want a lost connection", err)
	}
	resp, err := begin(t, t.Context(), client, b.URL()+b.byTag)
	wantRead(t, resp, err, string(b.pushed.Manifest))
}

func TestFreezeWhileStopped(t *testing.T) {
	b := newFaultBed(t, Options{})
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	b.Freeze()()
}

// With HTTP/2, a reset ends all that goes by the connection.
func TestResetEndsOtherStreams(t *testing.T) {
	b := newFaultBed(t, Options{HTTP2: true})
	b.Inject(First(1, StallBlob(b.blob, 4)), Drop("/v2/$"))
	client := b.Client()
	resp, err := begin(t, t.Context(), client, b.URL()+b.blobPath)
	if err != nil {
		t.Fatal(err)
	}
	if head, err := io.ReadAll(io.LimitReader(resp.Body, 4)); err != nil || string(head) != "0123" {
		t.Errorf("read %q, %v; want 0123", head, err)
	}
	if _, err := begin(t, t.Context(), client, b.URL()+"/v2/"); err == nil {
		t.Error("an answer by a reset connection")
	}
	if rest := readReply(resp); rest.err == nil || len(rest.body) > 0 {
		t.Errorf("the rest of the stalled body = %q, %v", rest.body, rest.err)
	}
}

func TestGoAway(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b faultBed) {
		b.Inject(GoAway("/v2/"))
		client := b.Client()
		var addresses []string
		b.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			addresses = append(addresses, r.RemoteAddr)
			return false
		})
		for range 2 {
			resp, err := begin(t, t.Context(), client, b.URL()+b.blobPath)
			wantRead(t, resp, err, string(b.data))
		}
		if len(addresses) != 2 || addresses[0] == addresses[1] {
			t.Errorf("requests came from %q, want two connections", addresses)
		}
	})
}

func TestGoAwayBlob(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b faultBed) {
		b.Inject(First(1, GoAwayBlob(b.blob, 4)))
		client := b.Client()
		want := "unexpected EOF"
		if b.opts.HTTP2 {
			want = "http2: server sent GOAWAY and closed the connection; LastStreamID=2147483647, ErrCode=INTERNAL_ERROR"
		}
		resp, err := begin(t, t.Context(), client, b.URL()+b.blobPath)
		if err != nil {
			t.Fatal(err)
		}
		if got := readReply(resp); got.err == nil || !strings.Contains(got.err.Error(), want) || string(got.body) != "0123" {
			t.Errorf("body = %q, %v; want 0123 and %s", got.body, got.err, want)
		}
		resp, err = begin(t, t.Context(), client, b.URL()+b.blobPath)
		wantRead(t, resp, err, string(b.data))
	})
}

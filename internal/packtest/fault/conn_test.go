package fault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestFreezeAndThaw(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		old := b.Client()
		resp, err := reply.Begin(t, t.Context(), old, b.URL()+b.byTag)
		reply.WantRead(t, resp, err, string(b.pushed.Manifest))
		thaw := b.Freeze()
		b.ResetRequests()
		answered := make(chan error)
		go func() {
			resp, err := reply.Begin(t, t.Context(), old, b.URL()+"/v2/")
			if err == nil {
				err = reply.Read(resp).Err
			}
			answered <- err
		}()
		// Another connection works meanwhile, and the frozen one does not.
		reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
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

// An answer stops when the connection freezes.
func TestFreezeHoldsAnswersBack(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		arrived, proceed := make(chan bool), make(chan bool)
		b.Inject(First(1, packtest.Fault{Match: under("/v2/$"), Serve: func(w http.ResponseWriter, r *http.Request, honest http.Handler) {
			arrived <- true
			<-proceed
			honest.ServeHTTP(w, r)
		}}))
		answered := make(chan reply.Reply)
		go func() {
			got, err := reply.Try(t, b.Registry, "GET", "/v2/")
			if err != nil {
				t.Error(err)
			}
			answered <- got
		}()
		<-arrived
		thaw := b.Freeze()
		close(proceed)
		for range 3 {
			reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
		}
		select {
		case got := <-answered:
			t.Errorf("a frozen connection ended with %+v", got)
		default:
			thaw()
			reply.Want(t, <-answered, 200, "")
		}
	})
}

// awaitFreeze returns when the connection is frozen.
func awaitFreeze(t *testing.T, c *packtest.Conn) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !c.Frozen(); runtime.Gosched() {
		if time.Now().After(until) {
			t.Error("the connection was not frozen")
			return
		}
	}
}

// A frozen connection's held bytes are lost when the registry stops.
func TestStopEndsTheFreeze(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(First(1, FreezeBlob(b.blob, 4)))
		conn := make(chan *packtest.Conn, 1)
		b.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			c, _ := packtest.ConnOf(r)
			conn <- c
			return false
		})
		client := b.Client()
		resp, err := reply.Begin(t, t.Context(), client, b.URL()+b.blobPath)
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, head); err != nil || string(head) != "0123" {
			t.Errorf("read %q, %v; want 0123", head, err)
		}
		b.Intercept(nil)
		awaitFreeze(t, <-conn) // the freeze follows the received bytes
		// Only another connection gets an answer.
		if b.opts.HTTP2 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := reply.Begin(t, ctx, client, b.URL()+"/v2/"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a second stream of the connection: %v, want %v", err, context.DeadlineExceeded)
			}
		}
		reply.Want(t, reply.Ask(t, b.Registry, "GET", b.blobPath), 200, string(b.data))
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if rest, err := io.ReadAll(resp.Body); err == nil || len(rest) > 0 {
			t.Errorf("the rest of the body is %q, %v", rest, err)
		}
	})
}

// A ping on a frozen HTTP/2 connection gets no answer.
func TestFrozenConnectionAnswersNoPing(t *testing.T) {
	b := newFixture(t, packtest.Options{HTTP2: true})
	b.Inject(First(1, Freeze("/v2/")))
	client := b.Client()
	client.Transport.(*http.Transport).HTTP2 = &http.HTTP2Config{SendPingTimeout: 20 * time.Millisecond, PingTimeout: 20 * time.Millisecond}
	if _, err := reply.Begin(t, t.Context(), client, b.URL()+"/v2/"); err == nil || !strings.Contains(err.Error(), "client connection lost") {
		t.Errorf("request = %v, want a lost connection", err)
	}
	resp, err := reply.Begin(t, t.Context(), client, b.URL()+b.byTag)
	reply.WantRead(t, resp, err, string(b.pushed.Manifest))
}

func TestFreezeWhileStopped(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	b.Freeze()()
}

// With HTTP/2, a reset ends all streams of the connection.
func TestResetEndsOtherStreams(t *testing.T) {
	b := newFixture(t, packtest.Options{HTTP2: true})
	b.Inject(First(1, StallBlob(b.blob, 4)), Drop("/v2/$"))
	client := b.Client()
	resp, err := reply.Begin(t, t.Context(), client, b.URL()+b.blobPath)
	if err != nil {
		t.Fatal(err)
	}
	if head, err := io.ReadAll(io.LimitReader(resp.Body, 4)); err != nil || string(head) != "0123" {
		t.Errorf("read %q, %v; want 0123", head, err)
	}
	if _, err := reply.Begin(t, t.Context(), client, b.URL()+"/v2/"); err == nil {
		t.Error("an answer by a reset connection")
	}
	if rest := reply.Read(resp); rest.Err == nil || len(rest.Body) > 0 {
		t.Errorf("the rest of the stalled body = %q, %v", rest.Body, rest.Err)
	}
}

func TestGoAway(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(GoAway("/v2/"))
		client := b.Client()
		var addresses []string
		b.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			addresses = append(addresses, r.RemoteAddr)
			return false
		})
		for range 2 {
			resp, err := reply.Begin(t, t.Context(), client, b.URL()+b.blobPath)
			reply.WantRead(t, resp, err, string(b.data))
		}
		if len(addresses) != 2 || addresses[0] == addresses[1] {
			t.Errorf("requests came from %q, want two connections", addresses)
		}
	})
}

func TestGoAwayBlob(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		b.Inject(First(1, GoAwayBlob(b.blob, 4)))
		client := b.Client()
		want := "unexpected EOF"
		if b.opts.HTTP2 {
			want = "http2: server sent GOAWAY and closed the connection; LastStreamID=2147483647, ErrCode=INTERNAL_ERROR"
		}
		resp, err := reply.Begin(t, t.Context(), client, b.URL()+b.blobPath)
		if err != nil {
			t.Fatal(err)
		}
		if got := reply.Read(resp); got.Err == nil || !strings.Contains(got.Err.Error(), want) || string(got.Body) != "0123" {
			t.Errorf("body = %q, %v; want 0123 and %s", got.Body, got.Err, want)
		}
		resp, err = reply.Begin(t, t.Context(), client, b.URL()+b.blobPath)
		reply.WantRead(t, resp, err, string(b.data))
	})
}

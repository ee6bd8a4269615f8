package fault

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestBusy(t *testing.T) {
	for _, after := range []string{"", "7"} {
		f := Busy("/v2/", 2, after)
		arrived, open, done := make(chan bool), make(chan bool), make(chan bool)
		honest := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived <- true
			<-open
		})
		ask := func() *httptest.ResponseRecorder {
			answer, req := httptest.NewRecorder(), httptest.NewRequest("GET", "/v2/x", nil)
			if !f.Match(req) {
				t.Error("no match")
			}
			f.Serve(answer, req, honest)
			return answer
		}
		for range 2 {
			go func() { ask(); done <- true }()
			<-arrived
		}
		for range 2 {
			if got := ask(); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != after {
				t.Errorf("the third at once gets %d, Retry-After %q", got.Code, got.Header().Get("Retry-After"))
			}
		}
		close(open)
		<-done
		<-done
		go func() { <-arrived }()
		if got := ask(); got.Code != http.StatusOK {
			t.Errorf("alone it gets %d", got.Code)
		}
	}
}

func TestTogether(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.Inject(Together(3, Status("/v2/x/", http.StatusTeapot, nil)))
	reply.Want(t, reply.Ask(t, b.Registry, "GET", "/v2/"), 200, "")
	statuses := make(chan int)
	ask := func() {
		got, err := reply.Try(t, b.Registry, "GET", b.byTag)
		if err != nil {
			t.Error(err)
			got.Response = &http.Response{}
		}
		statuses <- got.StatusCode
	}
	go ask()
	go ask()
	for load := b.Load(); load.Requests < 2; load = b.Load() {
	}
	select {
	case status := <-statuses:
		t.Errorf("answered with %d before all were there", status)
	default:
	}
	go ask()
	for range 3 {
		if status := <-statuses; status != http.StatusTeapot {
			t.Errorf("got %d", status)
		}
	}
	reply.Want(t, reply.Ask(t, b.Registry, "GET", b.byTag), 200, string(b.pushed.Manifest))
}

func TestGoAwayNow(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b fixture) {
		client := b.Client()
		got, err := reply.Send(t, client, "GET", b.URL()+"/v2/")
		if err != nil {
			t.Fatal(err)
		}
		reply.Want(t, got, 200, "")
		b.Inject(First(1, GoAwayNow(b.byTag)))
		b.ResetRequests()
		resp, err := reply.Begin(t, t.Context(), b.Client(), b.URL()+b.byTag)
		if err == nil {
			resp.Body.Close()
			err = fmt.Errorf("status %s", resp.Status)
		}
		if b.opts.HTTP2 { // the connection's first request was looked at
			const want = "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\""
			if inner := errors.Unwrap(err); inner == nil || inner.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		} else if !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
		if n := len(b.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

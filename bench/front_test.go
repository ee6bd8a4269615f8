package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/bench/network"
	"github.com/greenticai/packvendor/internal/packtest"
)

// frontOf starts a front with those options before a server over TLS, and returns the URL of
// its root and a client.
func frontOf(t *testing.T, o frontOptions, handler http.HandlerFunc) (f *front, root string, client *http.Client) {
	t.Helper()
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	if err := serve(server.Config, server.Listener, ca); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Config.Close() })
	if f, err = startFront(server.Listener.Addr().String(), ca, o); err != nil {
		t.Fatal(err)
	}
	transport := ca.Transport(true)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		f.close()
	})
	return f, "https://" + f.address, &http.Client{Transport: transport}
}

func get(t *testing.T, client *http.Client, url string) (status int, proto, body string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Proto, string(data)
}

// A front passes on what is asked for, also the name of the host, and speaks the protocols
// that it shall.
func TestFrontProtocol(t *testing.T) {
	for want, o := range map[string]frontOptions{"HTTP/2.0": {}, "HTTP/1.1": {http1: true}} {
		_, root, client := frontOf(t, o, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			io.WriteString(w, "https://"+r.Host+r.URL.Path)
		})
		if status, proto, body := get(t, client, root+"/v2/"); status != http.StatusAccepted || proto != want || body != root+"/v2/" {
			t.Errorf("got %d over %s of %q, want %s of %q", status, proto, body, want, root+"/v2/")
		}
	}
}

// A front that takes two requests at once refuses the third, until one of them has its answer.
func TestFrontRefuses(t *testing.T) {
	begun, end := make(chan bool), make(chan bool)
	f, root, client := frontOf(t, frontOptions{most: 2}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- true
			<-end
		}
	})
	done := make(chan bool)
	for range 2 {
		go func() {
			get(t, client, root+"/slow")
			done <- true
		}()
		<-begun
	}
	if status, _, _ := get(t, client, root); status != http.StatusTooManyRequests || f.refused.Load() != 1 {
		t.Errorf("the third gets %d, %d are refused", status, f.refused.Load())
	}
	close(end)
	<-done
	<-done
	for f.running.Load() > 0 { // a client may have its answer before the front is done
		time.Sleep(time.Millisecond)
	}
	if status, _, _ := get(t, client, root); status != http.StatusOK || f.refused.Load() != 1 {
		t.Errorf("a later one gets %d, %d are refused", status, f.refused.Load())
	}
}

// A record has each request, and a timeline the connection that it came over.
func TestTimeline(t *testing.T) {
	clock := time.Duration(0)
	rec := &record{now: func() time.Duration { clock += 1500 * time.Microsecond; return clock }}
	_, root, client := frontOf(t, frontOptions{record: rec}, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			io.WriteString(w, "12345")
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	get(t, client, root+"/v2/a/blobs/x")
	get(t, client, root+"/v2/a/manifests/x")
	requests := rec.take()
	if len(requests) != 2 || rec.take() != nil {
		t.Fatalf("the record has %+v", requests)
	}
	past := []network.Connection{
		{Server: "127.0.0.1:2", Client: "127.0.0.1:3", Opened: time.Millisecond, Closed: 9 * time.Millisecond},
		{Server: "127.0.0.1:2", Client: requests[0].client, Opened: 2 * time.Millisecond, Closed: 8500 * time.Microsecond, Up: 10, Down: 20},
	}
	const want = `
  connection       server  opened  closed  bytes up  down
           1  127.0.0.1:2     0.0     8.0         0     0
           2  127.0.0.1:2     1.0     7.5        10    20

  asked  answered  connection   version       for  status  bytes
    0.5       2.0           2  HTTP/2.0      blob     200      5
    3.5       5.0           2  HTTP/2.0  manifest     404      0
`
	if got := timeline(past, requests); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A line with a record has a front before each server; one without needs none.
func TestLineRecords(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for _, rec := range []*record{nil, {now: func() time.Duration { return 0 }}} {
		l := &line{Link: network.New(), record: rec}
		address, err := l.to(server.Listener.Addr().String(), frontOptions{})
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{}
		get(t, &http.Client{Transport: transport}, "http://"+address+"/v2/")
		transport.CloseIdleConnections()
		if err := l.close(); err != nil {
			t.Error(err)
		}
		if rec == nil && len(l.fronts) != 0 || rec != nil && (len(l.fronts) != 1 || len(rec.take()) != 1) {
			t.Errorf("record %v: %d fronts", rec, len(l.fronts))
		}
	}
}

package packtest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

func TestRegistryServesWhatWasPushed(t *testing.T) {
	for name, opts := range map[string]Options{"tls": {}, "plain": {Plain: true}, "http2": {HTTP2: true}} {
		t.Run(name, func(t *testing.T) {
			r := StartRegistry(t, opts)
			data := Zip("a", "1.0.0", 100)
			pushed := MustPush(t, r, "team/pack", "1.0.0", Pack(data, "a.gtpack"))
			for _, reference := range []string{"1.0.0", pushed.ManifestDigest.String()} {
				got := reply.Ask(t, r, "GET", "/v2/team/pack/manifests/"+reference)
				reply.Want(t, got, 200, string(pushed.Manifest))
				reply.WantHeader(t, got, "Content-Type", ManifestMediaType)
				reply.WantHeader(t, got, "Docker-Content-Digest", pushed.ManifestDigest.String())
				if opts.HTTP2 != (got.ProtoMajor == 2) || opts.Plain != (got.TLS == nil) {
					t.Errorf("served over %s, TLS %t", got.Proto, got.TLS != nil)
				}
			}
			head := reply.Ask(t, r, "HEAD", "/v2/team/pack/manifests/1.0.0")
			reply.Want(t, head, 200, "")
			reply.WantHeader(t, head, "Content-Length", fmt.Sprint(len(pushed.Manifest)))
			reply.Want(t, reply.Ask(t, r, "GET", "/v2/team/pack/blobs/"+pushed.Layers[0].String()), 200, string(data))
			if ociref.DigestOf(data) != pushed.Layers[0] || ociref.DigestOf(pushed.Manifest) != pushed.ManifestDigest {
				t.Error("digests are not those of the bytes")
			}
		})
	}
}

func TestRegistryRanges(t *testing.T) {
	r := StartRegistry(t, Options{})
	path := "/v2/x/blobs/" + r.PutBlob("x", []byte("0123456789")).String()
	for _, rng := range []string{"bytes=4-", "bytes=4-9"} {
		got := reply.Ask(t, r, "GET", path, "Range", rng)
		reply.Want(t, got, 206, "456789")
		reply.WantHeader(t, got, "Content-Range", "bytes 4-9/10")
	}
	missing := "/v2/x/blobs/" + ociref.DigestOf(nil).String()
	if got := reply.Ask(t, r, "GET", missing, "Range", "bytes=4-"); got.StatusCode != 404 {
		t.Errorf("range of a missing blob: %s", got.Status)
	}
}

func TestRegistryStopAndStart(t *testing.T) {
	r := StartRegistry(t, Options{})
	MustPush(t, r, "x", "1", Artifact{})
	host := r.Host()
	reply.WantError(t, r.Start(), "test registry: already started")
	for range 3 {
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := reply.Try(t, r, "GET", "/v2/"); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Fatalf("request to a stopped registry: %v", err)
		}
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		if got := reply.Ask(t, r, "GET", "/v2/x/manifests/1"); got.StatusCode != 200 || r.Host() != host {
			t.Fatalf("after a restart at %s: %s, want 200 at %s", r.Host(), got.Status, host)
		}
	}
	if _, err := NewRegistry(Options{Addr: host}); err == nil || !strings.HasPrefix(err.Error(), "test registry: listen tcp "+host) {
		t.Errorf("second registry on one port: %v", err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
}

func TestRequestsAndIntercept(t *testing.T) {
	r := StartRegistry(t, Options{})
	r.Intercept(func(w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Path == "/v2/mine" {
			io.WriteString(w, "mine")
			return true
		}
		return false
	})
	reply.Want(t, reply.Ask(t, r, "GET", "/v2/mine?a=b", "Authorization", "Basic x", "X-Test", "y"), 200, "mine")
	reply.Want(t, reply.Ask(t, r, "HEAD", "/v2/"), 200, "")
	requests := r.Requests()
	if got, want := fmt.Sprint(requests), "[GET /v2/mine?a=b HEAD /v2/]"; got != want {
		t.Fatalf("requests = %s, want %s", got, want)
	}
	first, second := requests[0], requests[1]
	if !first.Authorization || second.Authorization || first.Header.Get("X-Test") != "y" || first.Host != r.Host() || !first.TLS {
		t.Errorf("requests = %+v", requests)
	}
	r.ResetRequests()
	r.Intercept(nil)
	if got := reply.Ask(t, r, "GET", "/v2/mine"); got.StatusCode != 404 || len(r.Requests()) != 1 {
		t.Errorf("after reset: %s, requests = %v", got.Status, r.Requests())
	}
}

func TestPlainHasNoTLS(t *testing.T) {
	r := StartRegistry(t, Options{Plain: true})
	_, err := r.CAFile(t.TempDir())
	reply.WantError(t, err, "test registry: plain HTTP has no CA")
	_, err = NewRegistry(Options{Plain: true, HTTP2: true})
	reply.WantError(t, err, "test registry: HTTP/2 needs TLS")
	if reply.Ask(t, r, "GET", "/v2/"); r.Requests()[0].TLS {
		t.Error("request over TLS")
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	r := StartRegistry(t, Options{})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			tag := fmt.Sprint(i)
			pushed, err := r.Push("x", tag, Pack([]byte(tag), ""))
			if err != nil {
				t.Error(err)
				return
			}
			r.Inject(Fault{Match: func(r *http.Request) bool { return r.URL.Path == "/none" }})
			r.Intercept(nil)
			for path, want := range map[string]string{
				"/v2/x/manifests/" + tag:                   string(pushed.Manifest),
				"/v2/x/blobs/" + pushed.Layers[0].String(): tag,
			} {
				if got, err := reply.Try(t, r, "GET", path); err != nil || string(got.Body) != want {
					t.Errorf("GET %s = %q, %v; want %q", path, got.Body, err, want)
				}
			}
			r.Requests()
		})
	}
	group.Wait()
	if n := len(r.Requests()); n != 16 {
		t.Errorf("%d requests, want 16", n)
	}
}

// fatal is a TB that records its messages.
type fatal struct{ said []string }

func (*fatal) Helper()        {}
func (*fatal) Cleanup(func()) {}
func (f *fatal) Fatalf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func TestTBReportsErrors(t *testing.T) {
	tb := &fatal{}
	if r := StartRegistry(tb, Options{Plain: true, HTTP2: true}); r != nil {
		t.Error("registry in spite of an error")
	}
	MustPush(tb, StartRegistry(t, Options{}), "x", "", Artifact{Kind: 7})
	want := []string{"test registry: HTTP/2 needs TLS", "test artifact: unknown kind of manifest 7"}
	if !reflect.DeepEqual(tb.said, want) {
		t.Errorf("said %q, want %q", tb.said, want)
	}
}

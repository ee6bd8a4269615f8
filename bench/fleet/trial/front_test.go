package trial

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
)

func startFront(t *testing.T, behind registry) *front {
	t.Helper()
	f, err := newFront(behind.CA())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.close() })
	if err := f.passTo(behind); err != nil {
		t.Fatal(err)
	}
	return f
}

// ask returns the status and the body of an answer.
func ask(t *testing.T, client *http.Client, method, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// A front counts requests by kind. Beyond its limit it refuses pulls, and nothing else.
func TestFront(t *testing.T) {
	reg := packtest.StartRegistry(t, packtest.Options{})
	data := packtest.Zip("a", "1.0.0", 0)
	pack := packtest.MustPush(t, reg, "team/a", "1.0.0", packtest.Pack(data, ""))
	f := startFront(t, reg)
	client := reg.Client()
	manifest, blob := "/v2/team/a/manifests/1.0.0", "/v2/team/a/blobs/"+pack.Layers[0].String()
	f.begin(2)
	var bytes int64
	for _, test := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/v2/", 200, ""},
		{"GET", manifest, 200, string(pack.Manifest)},
		{"HEAD", manifest, 200, ""},
		{"GET", manifest, 200, string(pack.Manifest)},
		{"GET", manifest, 429, refusal},
		{"HEAD", manifest, 200, ""},
		{"GET", blob, 200, string(data)},
		{"HEAD", blob, 200, ""},
		{"GET", "/v2/team/a/tags/list", 200, `{"name":"team/a","tags":["1.0.0"]}` + "\n"},
		{"GET", "/other", 404, `{"errors":[{"code":"METHOD_UNKNOWN","message":"We don't understand your method + url"}]}` + "\n"},
	} {
		status, body := ask(t, client, test.method, f.URL()+test.path)
		bytes += int64(len(body))
		if status != test.status || body != test.body {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.path, status, body, test.status, test.body)
		}
	}
	if err := f.rest(t.Context()); err != nil {
		t.Error(err)
	}
	want := Traffic{
		Pings: 1, Manifests: 3, ManifestHeads: 2, Blobs: 1, BlobHeads: 1, Tags: 1, Others: 1, Limited: 1,
		Bytes: bytes,
	}
	if got := f.take(); got != want || got.Requests() != 10 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := f.take(); got != (Traffic{}) {
		t.Errorf("then %+v", got)
	}
	if status, _ := ask(t, client, "GET", f.URL()+manifest); status != 429 {
		t.Errorf("take ends the limit: %d", status)
	}
	f.begin(noLimit)
	if status, _ := ask(t, client, "GET", f.URL()+manifest); status != 200 {
		t.Errorf("without a limit: %d", status)
	}
	if err := reg.Stop(); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask(t, client, "GET", f.URL()+manifest); status != 502 || f.take().Broken != 1 {
		t.Errorf("without a registry: %d", status)
	}
}

// rest ends with its context while an answer is on its way.
func TestFrontIsNotAtRest(t *testing.T) {
	reg := packtest.StartRegistry(t, packtest.Options{})
	f := startFront(t, reg)
	arrived, ended := make(chan struct{}), make(chan struct{})
	f.put(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-ended
	}))
	answered := make(chan error, 1)
	go func() {
		resp, err := reg.Client().Get(f.URL() + "/v2/")
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 2*quiet+quiet/2)
	defer cancel()
	if err := f.rest(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("rest while a request is being answered: %v", err)
	}
	close(ended)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	begin := time.Now()
	if err := f.rest(t.Context()); err != nil || time.Since(begin) < quiet {
		t.Errorf("rest afterwards: %v", err)
	}
}

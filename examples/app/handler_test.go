package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/app/internal/packs"
)

// The packs that are built in are those of packs.lock.
func TestPacks(t *testing.T) {
	if len(packs.Packs()) == 0 {
		t.Error("no packs are built in")
	}
	for _, pack := range packs.Packs() {
		if err := pack.Verify(); err != nil {
			t.Error(err)
		}
	}
}

// start starts the server with the packs that are built in.
func start(t *testing.T) *httptest.Server {
	t.Helper()
	handler, err := newHandler(packs.Packs())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// ask sends a request, and returns the reply with its body.
func ask(t *testing.T, server *httptest.Server, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	reply, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply, string(body)
}

func TestList(t *testing.T) {
	reply, body := ask(t, start(t), "GET", "/packs")
	var got []description
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if reply.Header.Get("Content-Type") != "application/json" || len(got) != len(packs.Packs()) {
		t.Fatalf("%s: %s", reply.Header.Get("Content-Type"), body)
	}
	for i, pack := range packs.Packs() {
		want := description{pack.Name(), got[i].Version, pack.Ref(), pack.LayerDigest(), pack.Size()}
		if got[i] != want || !strings.Contains(pack.Ref(), ":"+got[i].Version+"@") {
			t.Errorf("got %v, want %v", got[i], want)
		}
	}
}

func TestIndex(t *testing.T) {
	reply, body := ask(t, start(t), "GET", "/")
	if reply.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("content type %s", reply.Header.Get("Content-Type"))
	}
	for _, pack := range packs.Packs() {
		for _, want := range []string{`<a href="/packs/` + pack.Name() + `">`, pack.LayerDigest(), "<td>" + tag(pack.Ref())} {
			if !strings.Contains(body, want) {
				t.Errorf("the page lacks %s:\n%s", want, body)
			}
		}
	}
}

// Every file of every pack is served as it is in the pack.
func TestFiles(t *testing.T) {
	server := start(t)
	for _, pack := range packs.Packs() {
		_, body := ask(t, server, "GET", "/packs/"+pack.Name())
		var listed struct{ Files []string }
		if err := json.Unmarshal([]byte(body), &listed); err != nil || len(listed.Files) == 0 {
			t.Errorf("error %v in %s", err, body)
		}
		archive, err := zip.NewReader(pack.Reader(), pack.Size())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range listed.Files {
			file, err := archive.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			want, err := io.ReadAll(file)
			if err != nil {
				t.Fatal(err)
			}
			reply, got := ask(t, server, "GET", "/packs/"+pack.Name()+"/"+name)
			if reply.StatusCode != 200 || got != string(want) || reply.Header.Get("Content-Type") != contentType(name) {
				t.Errorf("%s of %s: %s, %s, %d bytes", name, pack.Name(), reply.Status, reply.Header.Get("Content-Type"), len(got))
			}
		}
	}
}

func TestContentType(t *testing.T) {
	for name, want := range map[string]string{
		"manifest.cbor":          "application/cbor",
		"flows/main/flow.ygtc":   "application/yaml",
		"components/x/c.wasm":    "application/wasm",
		"docs/INDEX.HTML":        "text/html; charset=utf-8",
		"assets/payload.unknown": "application/octet-stream",
		"LICENSE":                "application/octet-stream",
		".json/name":             "application/octet-stream",
	} {
		if got := contentType(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A client that has a file need not get it again.
func TestNotModified(t *testing.T) {
	server, pack := start(t), packs.Packs()[0]
	path := "/packs/" + pack.Name() + "/manifest.cbor"
	reply, _ := ask(t, server, "GET", path)
	tag := reply.Header.Get("ETag")
	if tag != `"`+pack.LayerDigest()+`"` {
		t.Errorf("ETag %s", tag)
	}
	if reply, body := ask(t, server, "GET", path, "If-None-Match", tag); reply.StatusCode != 304 || body != "" {
		t.Errorf("%s, %q", reply.Status, body)
	}
}

// Files of packs cannot run scripts in the name of this server.
func TestPackFilesAreHarmless(t *testing.T) {
	reply, _ := ask(t, start(t), "GET", "/packs/"+packs.Packs()[0].Name()+"/manifest.cbor")
	if got := reply.Header.Get("Content-Security-Policy"); got != "default-src 'none'; sandbox" {
		t.Errorf("Content-Security-Policy %q", got)
	}
	if got := reply.Header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options %q", got)
	}
}

func TestStatus(t *testing.T) {
	server, name := start(t), packs.Packs()[0].Name()
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200},
		{"HEAD", "/packs/" + name + "/manifest.cbor", 200},
		{"GET", "/elsewhere", 404},
		{"GET", "/packs/no-such-pack", 404},
		{"GET", "/packs/no-such-pack/manifest.cbor", 404},
		{"GET", "/packs/" + name + "/no-such-file", 404},
		{"GET", "/packs/" + name + "/%2e%2e/%2e%2e/etc/passwd", 404},
		{"GET", "/packs/" + name + "/%2fetc/passwd", 404},
		{"POST", "/packs", 405},
		{"DELETE", "/packs/" + name + "/manifest.cbor", 405},
	} {
		if reply, _ := ask(t, server, test.method, test.path); reply.StatusCode != test.status {
			t.Errorf("%s %s: %s, want %d", test.method, test.path, reply.Status, test.status)
		}
	}
}

func TestTag(t *testing.T) {
	for ref, want := range map[string]string{
		"ghcr.io/greenticai/slack:0.4.37@sha256:00": "0.4.37",
		"localhost:5000/greenticai/slack@sha256:00": "",
		"localhost:5000/slack:stable":               "stable",
	} {
		if got := tag(ref); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
}

// health answers a load balancer in words.
func TestHealth(t *testing.T) {
	if _, body := ask(t, start(t), "GET", "/healthz"); body != "ok\n" {
		t.Errorf("%q", body)
	}
}

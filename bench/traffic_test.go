package main

import (
	"strings"
	"testing"
)

func TestReadTraffic(t *testing.T) {
	const log = `time="2026-11-25T20:48:31Z" level=info msg="response completed" http.request.method=GET http.request.uri=/v2/ http.response.status=200
127.0.0.1 - - [25/Nov/2026:20:48:31 +0000] "GET /v2/ HTTP/1.1" 200 2 "" "Go-http-client/1.1"
127.0.0.1 - - [25/Nov/2026:20:48:31 +0000] "HEAD /v2/team/a/manifests/1 HTTP/2.0" 200 700 "" "packvendor/(devel)"
127.0.0.1 - - [25/Nov/2026:20:48:31 +0000] "GET /v2/team/a/manifests/sha256:00 HTTP/2.0" 200 700 "" "packvendor/(devel)"
127.0.0.1 - somebody [25/Nov/2026:20:48:31 +0000] "GET /v2/team/a/blobs/sha256:00 HTTP/1.1" 206 1000 "" "curl/7.88.1"
127.0.0.1 - - [25/Nov/2026:20:48:31 +0000] "GET /v2/team/a/tags/list HTTP/1.1" 404 10 "" "x"
127.0.0.1 - - [25/Nov/2026:20:48:31 +0000] "POST /v2/team/a/blobs/uploads/ HTTP/1.1" 202 - "" "oras/1.3.6"
`
	got, err := readTraffic(strings.NewReader(log))
	want := traffic{Pings: 1, Heads: 1, Manifests: 1, Blobs: 1, Others: 2, Bytes: 2 + 700 + 1000 + 10}
	if err != nil || got != want || got.requests() != 6 {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestRequestKind(t *testing.T) {
	for line, want := range map[string]string{
		"GET /v2/":                  "ping",
		"GET /v2/a/manifests/x":     "manifest",
		"HEAD /v2/a/manifests/x":    "HEAD",
		"GET /v2/a/blobs/sha256:x":  "blob",
		"POST /v2/a/blobs/uploads/": "other",
		"GET /v2/a/tags/list":       "other",
		"POST /token":               "token",
	} {
		method, path, _ := strings.Cut(line, " ")
		if got := requestKind(method, path); got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}
}

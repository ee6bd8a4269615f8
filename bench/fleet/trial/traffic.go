package trial

import (
	"net/http"
	"strings"
)

// Traffic is what a registry is asked, and what it answers.
type Traffic struct {
	Pings         int `json:"pings,omitzero"`
	Tokens        int `json:"tokens,omitzero"` // from the server that gives them
	Tags          int `json:"tags,omitzero"`
	ManifestHeads int `json:"manifest_heads,omitzero"`
	Manifests     int `json:"manifests,omitzero"`
	BlobHeads     int `json:"blob_heads,omitzero"`
	Blobs         int `json:"blobs,omitzero"`
	Others        int `json:"others,omitzero"`

	Limited int   `json:"limited,omitzero"` // of these requests, those answered with 429
	Broken  int   `json:"broken,omitzero"`  // and those answered with 5xx
	Bytes   int64 `json:"bytes,omitzero"`   // of the bodies of all answers
}

// Requests returns how many there were in all.
func (t Traffic) Requests() int {
	return t.Pings + t.Tokens + t.Tags + t.ManifestHeads + t.Manifests + t.BlobHeads + t.Blobs + t.Others
}

// Plus returns the traffic of both.
func (t Traffic) Plus(other Traffic) Traffic {
	t.Pings += other.Pings
	t.Tokens += other.Tokens
	t.Tags += other.Tags
	t.ManifestHeads += other.ManifestHeads
	t.Manifests += other.Manifests
	t.BlobHeads += other.BlobHeads
	t.Blobs += other.Blobs
	t.Others += other.Others
	t.Limited += other.Limited
	t.Broken += other.Broken
	t.Bytes += other.Bytes
	return t
}

// kind returns the counter for a request.
func (t *Traffic) kind(r *http.Request) *int {
	path := r.URL.Path
	isGet, isHead := r.Method == http.MethodGet, r.Method == http.MethodHead
	switch {
	case isGet && path == "/v2/":
		return &t.Pings
	case isGet && strings.HasSuffix(path, "/tags/list"):
		return &t.Tags
	case isHead && strings.Contains(path, "/manifests/"):
		return &t.ManifestHeads
	case isPull(r):
		return &t.Manifests
	case isHead && strings.Contains(path, "/blobs/"):
		return &t.BlobHeads
	case isGet && strings.Contains(path, "/blobs/"):
		return &t.Blobs
	}
	return &t.Others
}

// isPull reports whether a request is what Docker Hub counts as a pull.
func isPull(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/")
}

// answered counts the answer to a request.
func (t *Traffic) answered(status int, bytes int64) {
	t.Bytes += bytes
	switch {
	case status == http.StatusTooManyRequests:
		t.Limited++
	case status >= 500:
		t.Broken++
	}
}

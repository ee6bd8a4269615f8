// Package reply sends a test's request to a server and checks the reply.
package reply

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// A Server is a registry that answers requests.
type Server interface {
	URL() string
	Client() *http.Client // a new one
}

// A Reply is a response with its body read.
type Reply struct {
	*http.Response
	Body []byte
	Err  error // of reading the body
}

// Ask sends one request and follows no redirect. Headers are pairs.
func Ask(t *testing.T, s Server, method, path string, headers ...string) Reply {
	t.Helper()
	got, err := Try(t, s, method, path, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Try is Ask for a request that may fail.
func Try(t *testing.T, s Server, method, path string, headers ...string) (Reply, error) {
	t.Helper()
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return Send(t, client, method, s.URL()+path, headers...)
}

// Follow sends one GET request and follows redirects.
func Follow(t *testing.T, s Server, path string, headers ...string) Reply {
	t.Helper()
	got, err := Send(t, s.Client(), "GET", s.URL()+path, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Send sends one request with a client that is not used again.
func Send(t *testing.T, client *http.Client, method, url string, headers ...string) (Reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		return Reply{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client.Transport.(*http.Transport).DisableCompression = true
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return Reply{}, err
	}
	return Read(resp), nil
}

// Begin sends one GET request with a client that the caller keeps.
func Begin(t *testing.T, ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(req)
}

// Read reads the body of a response.
func Read(resp *http.Response) Reply {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return Reply{resp, body, err}
}

// Token gets a token from /token to pull from a repository.
func Token(t *testing.T, s Server, repository string, headers ...string) string {
	t.Helper()
	return TokenIn(t, Ask(t, s, "GET", "/token?service=s&scope=repository:"+repository+":pull", headers...))
}

// TokenIn returns the token in a reply of /token.
func TokenIn(t *testing.T, got Reply) string {
	t.Helper()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(got.Body, &token); err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// Want checks status and body.
func Want(t *testing.T, got Reply, status int, body string) {
	t.Helper()
	if got.Err != nil || got.StatusCode != status || string(got.Body) != body {
		t.Errorf("%s %s = %d %q, %v; want %d %q", got.Request.Method, got.Request.URL, got.StatusCode, got.Body, got.Err, status, body)
	}
}

// WantRead reads a response and checks its body.
func WantRead(t *testing.T, resp *http.Response, err error, want string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if got := Read(resp); got.Err != nil || string(got.Body) != want {
		t.Errorf("%s: %q, %v; want %q", resp.Request.URL, got.Body, got.Err, want)
	}
}

// WantHeader checks one header.
func WantHeader(t *testing.T, got Reply, key, want string) {
	t.Helper()
	if v := got.Header.Get(key); v != want {
		t.Errorf("%s %s: %s = %q, want %q", got.Request.Method, got.Request.URL, key, v, want)
	}
}

// WantError checks the text of an error.
func WantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

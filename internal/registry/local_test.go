package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

// A wire answers requests as a script of hosts says, and remembers them. The
// hosts are public names, which no test server can have.
type wire struct {
	location  map[string]string // URL → where it redirects to
	plain     string            // a URL that HTTPS cannot be spoken to
	challenge string            // of /v2/; "" asks for nothing
	sent      []string
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	url := req.URL.String()
	w.sent = append(w.sent, url)
	if url == w.plain {
		return nil, http.ErrSchemeMismatch
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: -1, Request: req}
	if w.challenge != "" && strings.HasSuffix(url, "/v2/") {
		resp.StatusCode = http.StatusUnauthorized
		resp.Header.Set("WWW-Authenticate", w.challenge)
	}
	if to := w.location[url]; to != "" {
		resp.StatusCode = http.StatusTemporaryRedirect
		resp.Header.Set("Location", to)
	}
	return resp, nil
}

// localHosts are all that a public registry has no business to send one to.
func localHosts() []string {
	return slices.Concat(hostsByZone[private], hostsByZone[loopback], hostsByZone[linkLocal])
}

func TestFault11_RedirectToALocalAddress(t *testing.T) {
	const ping, manifest = "https://registry.example/v2/", "https://registry.example/v2/a/manifests/1"
	for _, from := range []string{ping, manifest} {
		for _, host := range localHosts() {
			to := "https://" + host + "/x?s3cret"
			w := &wire{location: map[string]string{from: "https://cdn.example/x", "https://cdn.example/x": to}}
			ref, _ := ociref.Parse("registry.example/a:1")
			_, err := New(Options{Transport: w}).Manifest(context.Background(), ref)
			var e *Error
			if !errors.As(err, &e) || e.Error() != "GET "+from+": redirected to a local address" {
				t.Errorf("%s → %s: error %v", from, to, err)
			}
			if last := w.sent[len(w.sent)-1]; last != "https://cdn.example/x" {
				t.Errorf("%s → %s: %s was sent", from, to, last)
			}
		}
	}
}

// The same of the token endpoint that a registry names.
func TestFault11_RealmWithALocalAddress(t *testing.T) {
	for _, host := range localHosts() {
		w := &wire{challenge: `Bearer realm="https://` + host + `/token"`}
		ref, _ := ociref.Parse("registry.example/a:1")
		_, err := New(Options{Transport: w}).Manifest(context.Background(), ref)
		if want := "GET https://registry.example/v2/: names a token endpoint with a local address"; err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", host, err, want)
		}
		if len(w.sent) != 1 {
			t.Errorf("%s: sent %q", host, w.sent)
		}
	}
}

// A registry may send one to what is reached as widely as it is, or more so.
func TestFault11_RedirectFromALocalRegistry(t *testing.T) {
	for from, allowed := range map[string][]zone{
		"10.0.0.1:5000":   {public, private},
		"127.0.0.1:5000":  {public, private, loopback},
		"localhost:5000":  {public, private, loopback},
		"169.254.1.1:443": {public, private, loopback, linkLocal},
	} {
		for zone, hosts := range hostsByZone {
			for _, host := range hosts {
				if host == "" || host == "169.254.169.254:80" || host == "metadata:80" {
					continue
				}
				w := &wire{location: map[string]string{"https://" + from + "/v2/a/manifests/1": "https://" + host + "/x"}}
				ref, err := ociref.Parse(from + "/a:1")
				if err != nil {
					t.Fatal(err)
				}
				_, err = New(Options{Transport: w}).Manifest(context.Background(), ref)
				if got, want := err == nil, slices.Contains(allowed, zone); got != want {
					t.Errorf("%s → %s: error %v", from, host, err)
				}
			}
		}
	}
}

// A redirect to a host that is listed for plain HTTP is not turned into it.
func TestRedirectToAListedHostStaysHTTPS(t *testing.T) {
	const to = "https://listed.example:5000/x"
	w := &wire{location: map[string]string{"https://registry.example/v2/a/manifests/1": to}}
	ref, _ := ociref.Parse("registry.example/a:1")
	if _, err := New(Options{Transport: w, Insecure: []string{"listed.example:5000"}}).Manifest(context.Background(), ref); err != nil {
		t.Error(err)
	}
	if !slices.Contains(w.sent, to) {
		t.Errorf("sent %q", w.sent)
	}
}

// A failure of HTTPS says something about the registry only if it happened there.
func TestMayBePlain(t *testing.T) {
	const ping, manifest, away = "https://registry.example/v2/", "https://registry.example/v2/a/manifests/1", "https://cdn.example/x"
	for _, test := range []struct {
		name string
		w    *wire
		want bool
	}{
		{"the registry", &wire{plain: ping}, true},
		{"a redirect's target", &wire{plain: away, location: map[string]string{manifest: away}}, false},
		{"a token endpoint", &wire{plain: "https://auth.example/token?scope=repository%3Aa%3Apull&service=", challenge: `Bearer realm="https://auth.example/token"`}, false},
	} {
		ref, _ := ociref.Parse("registry.example/a:1")
		_, err := New(Options{Transport: test.w}).Manifest(context.Background(), ref)
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, http.ErrSchemeMismatch) || e.MayBePlain() != test.want {
			t.Errorf("%s: error %v, want MayBePlain() %t; sent %q", test.name, err, test.want, test.w.sent)
		}
	}
}

// The kind of request decides its Accept header, not the repository's name.
func TestAcceptOfManifests(t *testing.T) {
	var accepted string
	w := &wire{}
	ref, _ := ociref.Parse("registry.example/a/blobs/b:1")
	_, err := New(Options{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		if strings.Contains(req.URL.Path, "/manifests/") {
			accepted = req.Header.Get("Accept")
		}
		return w.RoundTrip(req)
	})}).Manifest(context.Background(), ref)
	if err != nil || accepted != acceptManifests {
		t.Errorf("Accept %q, error %v", accepted, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

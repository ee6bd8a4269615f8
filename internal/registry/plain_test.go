package registry_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
)

// If plain HTTP is listed, the client does not try HTTPS.
func TestPlainHTTPForListedHosts(t *testing.T) {
	for _, o := range []packtest.Options{{Plain: true}, {Plain: true, Token: true}} {
		b := newFixture(t, o)
		w := &wire{}
		b.client = newClient(t, w.over(b.reg.Transport()), "other.example", strings.ToUpper(b.reg.Host()))
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		if got, err := b.blob(); err != nil || !bytes.Equal(got, b.data) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if got := w.protocols(); len(got) == 0 || slices.Contains(got, "tls") {
			t.Errorf("connections: %q, want plain ones", got)
		}
		if n, want := len(b.reg.Requests()), 3; !o.Token && n != want {
			t.Errorf("%d requests, want %d: %q", n, want, lines(b.reg))
		}
	}
}

// A host's entry is for its port alone.
func TestPlainHTTPIsForExactlyTheListedPort(t *testing.T) {
	b := newFixture(t, packtest.Options{Plain: true})
	host, _, _ := strings.Cut(b.reg.Host(), ":")
	b.client = newClient(t, b.reg.Transport(), host, host+":1", "127.0.0.2")
	if err := b.manifest(); err == nil {
		t.Error("got no error")
	}
	wantRequests(t, b.reg)
}

func TestFault15_LoopbackNeverFallsBackToHTTP(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost"} {
		t.Run(host, func(t *testing.T) {
			b := newFixture(t, packtest.Options{Plain: true})
			w := &wire{}
			b.client = newClient(t, w.over(b.reg.Transport()))
			ref := b.byTag()
			ref.Registry = strings.Replace(ref.Registry, "127.0.0.1", host, 1)
			_, err := b.client.Manifest(t.Context(), ref)
			wantText(t, err, "GET https://"+ref.Registry+"/v2/: http: server gave HTTP response to HTTPS client")
			if e := as[*registry.Error](t, err); !e.MayBePlain() || e.Host != ref.Registry || e.Status != 0 {
				t.Errorf("got %+v, MayBePlain %t", e, e.MayBePlain())
			}
			wantRequests(t, b.reg)
			if got := w.protocols(); len(got) == 0 || slices.Contains(got, "plain") {
				t.Errorf("connections: %q, want TLS alone", got)
			}
		})
	}
}

func TestFault15_ConnectionRefused(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.reg.Stop()
	err := b.manifest()
	wantText(t, err, "GET "+b.reg.URL()+"/v2/: dial tcp "+b.reg.Host()+": connect: connection refused"+afterTries)
	e := as[*registry.Error](t, err)
	if !e.MayBePlain() || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %+v, MayBePlain %t", e, e.MayBePlain())
	}
}

func TestMayBePlain(t *testing.T) {
	for host, local := range map[string]bool{
		"localhost":            true,
		"localhost:5000":       true,
		"registry.localhost":   true,
		"127.0.0.1":            true,
		"127.8.8.8:443":        true,
		"[::1]":                true,
		"[::1]:5000":           true,
		"10.0.0.1:5000":        true,
		"172.16.0.1":           true,
		"192.168.1.1":          true,
		"[fd00::1]:443":        true,
		"169.254.1.1":          true,
		"[fe80::1]":            true,
		"8.8.8.8":              false,
		"172.32.0.1":           false,
		"ghcr.io":              false,
		"localhost.example":    false,
		"10.0.0.1.example:443": false,
		"":                     false,
	} {
		for _, test := range []struct {
			url  string
			err  error
			want bool
		}{
			{"https://h/v2/", syscall.ECONNREFUSED, local},
			{"http://h/v2/", syscall.ECONNREFUSED, false},
			{"https://h/v2/", syscall.ECONNRESET, false},
			{"https://h/v2/", http.ErrSchemeMismatch, true},
			{"http://h/v2/", http.ErrSchemeMismatch, false},
			{"https://h/v2/", nil, false},
		} {
			e := &registry.Error{URL: test.url, Host: host, Err: test.err}
			if got := e.MayBePlain(); got != test.want {
				t.Errorf("%q, %s, %v: got %t, want %t", host, test.url, test.err, got, test.want)
			}
		}
	}
}

package registry_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/registry"
)

func TestFault27_Certificates(t *testing.T) {
	ca, err := packtest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	long := time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		notAfter time.Time
		names    []string
		roots    *x509.CertPool
		want     string
	}{
		"unknown CA": {roots: x509.NewCertPool(), want: "x509: certificate signed by unknown authority"},
		"wrong name": {names: []string{"127.0.0.2", "other.example"}, roots: ca.Pool(),
			want: "x509: certificate is valid for 127.0.0.2, not 127.0.0.1"},
		"expired": {notAfter: long, roots: ca.Pool(),
			want: "x509: certificate has expired or is not yet valid: current time "},
	} {
		t.Run(name, func(t *testing.T) {
			cert, err := ca.Issue(test.notAfter, test.names...)
			if err != nil {
				t.Fatal(err)
			}
			b := newFixture(t, packtest.Options{CA: ca, Certificate: &cert})
			transport := b.reg.Transport()
			transport.TLSClientConfig.RootCAs = test.roots
			w := &wire{}
			b.client = newClient(t, w.over(transport))
			err = b.manifest()
			e := as[*registry.Error](t, err)
			want := "GET " + b.reg.URL() + "/v2/: tls: failed to verify certificate: " + test.want
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %q, want it to begin with %q", err, want)
			}
			if e.MayBePlain() || e.Status != 0 {
				t.Errorf("MayBePlain %t, status %d", e.MayBePlain(), e.Status)
			}
			wantRequests(t, b.reg)
			if got := len(w.protocols()); got != 1 {
				t.Errorf("%d connections: what a certificate lacks is not there another time", got)
			}
		})
	}
}

func TestNewTransport(t *testing.T) {
	onEachProtocol(t, packtest.Options{Token: true}, func(t *testing.T, b *fixture) {
		transport := registry.NewTransport()
		transport.Proxy = nil
		transport.TLSClientConfig = &tls.Config{RootCAs: b.reg.Transport().TLSClientConfig.RootCAs}
		b.client = newClient(t, transport)
		if err := b.manifest(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.blob(); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.reg.Requests() {
			if got := r.Header.Get("Accept-Encoding"); got != "" && got != "identity" {
				t.Errorf("%s: Accept-Encoding %q", r, got)
			}
		}
	})
}

// Packs that are fetched at once have a connection each; only the first costs a
// whole handshake.
func TestSessionsAreResumed(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	transport := registry.NewTransport()
	transport.Proxy = nil
	transport.TLSClientConfig.RootCAs = b.reg.Transport().TLSClientConfig.RootCAs
	transport.DisableKeepAlives = true
	b.client = newClient(t, transport)
	var resumed []bool
	b.reg.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		resumed = append(resumed, r.TLS.DidResume)
		return false
	})
	if err := b.manifest(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.blob(); err != nil {
		t.Fatal(err)
	}
	if want := []bool{false, true, true}; !slices.Equal(resumed, want) {
		t.Errorf("resumed %t, want %t", resumed, want)
	}
}

// Without a transport the system's trust decides: a test's CA is not in it.
func TestDefaultTransport(t *testing.T) {
	t.Setenv("NO_PROXY", "*")
	b := newFixture(t, packtest.Options{})
	b.client = registry.New(registry.Options{})
	err := b.manifest()
	as[*registry.Error](t, err)
	if want := "x509: certificate signed by unknown authority"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want one with %q", err, want)
	}
	wantRequests(t, b.reg)
}

func TestTransportLimits(t *testing.T) {
	transport := registry.NewTransport()
	if !transport.DisableCompression || transport.Proxy == nil ||
		transport.TLSHandshakeTimeout <= 0 || transport.IdleConnTimeout <= 0 || transport.MaxResponseHeaderBytes != 1<<20 {
		t.Errorf("got %+v", transport)
	}
	if p := transport.Protocols; p == nil || !p.HTTP1() || !p.HTTP2() || p.UnencryptedHTTP2() {
		t.Errorf("protocols %v, want HTTP/1.1 and HTTP/2 over TLS", p)
	}
	if transport == http.DefaultTransport {
		t.Error("the default transport is shared")
	}
}

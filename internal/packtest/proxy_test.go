package packtest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// through returns a client of r that uses the proxy.
func through(t *testing.T, r *Registry, proxy string) *http.Client {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	client := r.Client()
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(u)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func TestProxy(t *testing.T) {
	onEachProtocol(t, func(t *testing.T, b faultBed) {
		if b.opts.Plain {
			t.Skip("plain requests go without a tunnel")
		}
		p := StartProxy(t, ProxyOptions{})
		resp, err := begin(t, t.Context(), through(t, b.Registry, p.URL()), b.URL()+b.byTag)
		wantRead(t, resp, err, string(b.pushed.Manifest))
		if got, want := p.Targets(), []string{b.Host()}; !reflect.DeepEqual(got, want) {
			t.Errorf("targets = %q, want %q", got, want)
		}
	})
}

func TestProxyReachesNamesThatDoNotExist(t *testing.T) {
	ca, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(farFuture(), "registry.invalid")
	if err != nil {
		t.Fatal(err)
	}
	b := newFaultBed(t, Options{CA: ca, Certificate: &cert})
	p := StartProxy(t, ProxyOptions{To: b.Host()})
	client := through(t, b.Registry, p.URL())
	resp, err := begin(t, t.Context(), client, "https://registry.invalid"+b.byTag)
	wantRead(t, resp, err, string(b.pushed.Manifest))
	if got, want := p.Targets(), []string{"registry.invalid:443"}; !reflect.DeepEqual(got, want) {
		t.Errorf("targets = %q, want %q", got, want)
	}
	// Plain requests do not pass, but are on record.
	resp, err = begin(t, t.Context(), client, "http://registry.invalid/v2/")
	if err != nil {
		t.Fatal(err)
	}
	wantReply(t, readReply(resp), 405, "this proxy knows CONNECT alone\n")
	if got := p.Requests()[1].String(); got != "GET http://registry.invalid/v2/" || len(p.Targets()) != 1 {
		t.Errorf("recorded %q", got)
	}
}

func TestProxyWithCredentials(t *testing.T) {
	b := newFaultBed(t, Options{})
	p := StartProxy(t, ProxyOptions{User: User, Password: "with:colon and space"})
	resp, err := begin(t, t.Context(), through(t, b.Registry, p.URL()), b.URL()+b.byTag)
	wantRead(t, resp, err, string(b.pushed.Manifest))
	if got := p.Requests()[0]; got.Header.Get("Proxy-Authorization") == "" {
		t.Errorf("recorded %+v without the credentials", got)
	}
	for _, userinfo := range []string{"", "somebody:guessed@"} {
		_, err := begin(t, t.Context(), through(t, b.Registry, "http://"+userinfo+p.Host()), b.URL()+b.byTag)
		if err == nil || !strings.HasSuffix(err.Error(), ": Proxy Authentication Required") {
			t.Errorf("with %q: %v", userinfo, err)
		}
	}
	if n := len(b.Requests()); n != 1 {
		t.Errorf("%d requests reached the registry, want 1", n)
	}
}

func TestProxyCannotReach(t *testing.T) {
	b := newFaultBed(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := StartProxy(t, ProxyOptions{To: l.Addr().String()})
	if _, err := begin(t, t.Context(), through(t, b.Registry, p.URL()), b.URL()); err == nil || !strings.HasSuffix(err.Error(), ": Bad Gateway") {
		t.Errorf("request = %v, want a bad gateway", err)
	}
}

// The end of the test cuts what goes through the proxy.
func TestProxyEnds(t *testing.T) {
	b := newFaultBed(t, Options{})
	b.Inject(StallBlob(b.blob, 4))
	var resp *http.Response
	t.Run("test", func(t *testing.T) {
		var err error
		p := StartProxy(t, ProxyOptions{})
		u, _ := url.Parse(p.URL())
		client := b.Client()
		client.Transport.(*http.Transport).Proxy = http.ProxyURL(u)
		if resp, err = begin(t, context.Background(), client, b.URL()+b.blobPath); err != nil {
			t.Fatal(err)
		}
	})
	if got := readReply(resp); got.err == nil {
		t.Errorf("the rest of the body came: %q", got.body)
	}
}

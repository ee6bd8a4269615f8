package packtest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest/internal/reply"
)

const byTag = "/v2/x/manifests/tag"

// onePack starts a registry with one pack.
func onePack(t *testing.T, opts Options) (*Registry, Pushed) {
	t.Helper()
	r := StartRegistry(t, opts)
	return r, MustPush(t, r, "x", "tag", Pack([]byte("0123456789"), ""))
}

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
	for _, http2 := range []bool{false, true} { // plain requests go without a tunnel
		r, pushed := onePack(t, Options{HTTP2: http2})
		p := StartProxy(t, ProxyOptions{})
		resp, err := reply.Begin(t, t.Context(), through(t, r, p.URL()), r.URL()+byTag)
		reply.WantRead(t, resp, err, string(pushed.Manifest))
		if got, want := p.Targets(), []string{r.Host()}; !reflect.DeepEqual(got, want) {
			t.Errorf("targets = %q, want %q", got, want)
		}
	}
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
	r, pushed := onePack(t, Options{CA: ca, Certificate: &cert})
	p := StartProxy(t, ProxyOptions{To: r.Host()})
	client := through(t, r, p.URL())
	resp, err := reply.Begin(t, t.Context(), client, "https://registry.invalid"+byTag)
	reply.WantRead(t, resp, err, string(pushed.Manifest))
	if got, want := p.Targets(), []string{"registry.invalid:443"}; !reflect.DeepEqual(got, want) {
		t.Errorf("targets = %q, want %q", got, want)
	}
	// Plain requests do not pass, but are on record.
	resp, err = reply.Begin(t, t.Context(), client, "http://registry.invalid/v2/")
	if err != nil {
		t.Fatal(err)
	}
	reply.Want(t, reply.Read(resp), 405, "this proxy knows CONNECT alone\n")
	if got := p.Requests()[1].String(); got != "GET http://registry.invalid/v2/" || len(p.Targets()) != 1 {
		t.Errorf("recorded %q", got)
	}
}

func TestProxyWithCredentials(t *testing.T) {
	r, pushed := onePack(t, Options{})
	p := StartProxy(t, ProxyOptions{User: User, Password: "with:colon and space"})
	resp, err := reply.Begin(t, t.Context(), through(t, r, p.URL()), r.URL()+byTag)
	reply.WantRead(t, resp, err, string(pushed.Manifest))
	if got := p.Requests()[0]; got.Header.Get("Proxy-Authorization") == "" {
		t.Errorf("recorded %+v without the credentials", got)
	}
	for _, userinfo := range []string{"", "somebody:guessed@"} {
		_, err := reply.Begin(t, t.Context(), through(t, r, "http://"+userinfo+p.Host()), r.URL()+byTag)
		if err == nil || !strings.HasSuffix(err.Error(), ": Proxy Authentication Required") {
			t.Errorf("with %q: %v", userinfo, err)
		}
	}
	if n := len(r.Requests()); n != 1 {
		t.Errorf("%d requests reached the registry, want 1", n)
	}
}

func TestProxyCannotReach(t *testing.T) {
	r, _ := onePack(t, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := StartProxy(t, ProxyOptions{To: l.Addr().String()})
	if _, err := reply.Begin(t, t.Context(), through(t, r, p.URL()), r.URL()); err == nil || !strings.HasSuffix(err.Error(), ": Bad Gateway") {
		t.Errorf("request = %v, want a bad gateway", err)
	}
}

// The end of the test cuts what goes through the proxy.
func TestProxyEnds(t *testing.T) {
	r, _ := onePack(t, Options{})
	r.Intercept(func(w http.ResponseWriter, req *http.Request) bool {
		w.Write([]byte("0123"))
		http.NewResponseController(w).Flush()
		<-req.Context().Done()
		return true
	})
	var resp *http.Response
	t.Run("test", func(t *testing.T) {
		var err error
		p := StartProxy(t, ProxyOptions{})
		u, _ := url.Parse(p.URL())
		client := r.Client()
		client.Transport.(*http.Transport).Proxy = http.ProxyURL(u)
		if resp, err = reply.Begin(t, context.Background(), client, r.URL()+byTag); err != nil {
			t.Fatal(err)
		}
	})
	if got := reply.Read(resp); got.Err == nil {
		t.Errorf("the rest of the body came: %q", got.Body)
	}
}

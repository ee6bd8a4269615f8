package registry_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

// One request tells how a registry authenticates, without credentials and without
// another try.
func TestPing(t *testing.T) {
	for _, test := range []struct {
		name    string
		options packtest.Options
		fault   string
		want    registry.Greeting
		status  int // of the error
	}{
		{"open", packtest.Options{}, "", registry.Greeting{Status: 200}, 0},
		{"token", packtest.Options{Token: true}, "", registry.Greeting{Status: 401, Token: true}, 0},
		{"login", packtest.Options{User: "me", Password: "s3cret"}, "", registry.Greeting{Status: 401, Login: true}, 0},
		{"static host", packtest.Options{}, "status /v2/ 404", registry.Greeting{Status: 404}, 0},
		{"in trouble", packtest.Options{}, "status /v2/ 503", registry.Greeting{}, 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			reg := start(t, test.options)
			if test.fault != "" {
				f, err := fault.New(strings.Fields(test.fault)...)
				if err != nil {
					t.Fatal(err)
				}
				reg.Inject(f)
			}
			got, err := newClient(t, reg.Transport()).Ping(t.Context(), reg.Host())
			var e *registry.Error
			if errors.As(err, &e); got != test.want || (err != nil) != (test.status != 0) || e != nil && e.Status != test.status {
				t.Errorf("%+v, %v, want %+v, status %d", got, err, test.want, test.status)
			}
			if n := len(reg.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A proxy is named by scheme and host alone, and one that cannot be used by its variable.
func TestProxy(t *testing.T) {
	for value, want := range map[string]string{
		"http://proxy.example:3128":             "http://proxy.example:3128",
		"http://me:s3cret@proxy.example:3128/x": "http://proxy.example:3128",
		"socks5://me:s3cret@[::1]:1080":         "socks5://[::1]:1080",
		"http://http://me:s3cret@proxy":         "", // Go's reading of a value with a blank
		"ftp://me:s3cret@proxy.example":         "",
		"http://":                               "",
	} {
		u, err := url.Parse(value)
		if err != nil {
			t.Fatal(err)
		}
		c := registry.New(registry.Options{Transport: &http.Transport{Proxy: http.ProxyURL(u)}, Insecure: []string{"plain.example"}})
		for host, variable := range map[string]string{"ghcr.io": "HTTPS_PROXY", "plain.example": "HTTP_PROXY"} {
			got, err := c.Proxy(host)
			var e *registry.ProxyError
			if errors.As(err, &e); got != want || (err != nil) != (want == "") || e != nil && e.Error() != variable+" is not the address of a proxy" {
				t.Errorf("%s for %s: %q, %v, want %q", value, host, got, err, want)
			}
		}
	}
	if got, err := registry.New(registry.Options{Transport: &http.Transport{}}).Proxy("ghcr.io"); got != "" || err != nil {
		t.Errorf("without a proxy: %q, %v", got, err)
	}
}

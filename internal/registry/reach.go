package registry

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A Greeting is a registry's answer to the question how to authenticate.
type Greeting struct {
	Status int  // HTTP
	Token  bool // it asks for a token, which its token endpoint may give to everybody
	Login  bool // it asks for a user name and a password
}

// Ping asks a registry once, without credentials, how to authenticate.
//
// Errors: *Error, *ProtocolError.
func (c *Client) Ping(ctx context.Context, registry string) (Greeting, error) {
	h := c.host(registry)
	resp, err := h.greet(c.mark(ctx))
	if err != nil {
		return Greeting{}, err
	}
	g := Greeting{Status: resp.StatusCode}
	challenge, err := h.asked(resp)
	if challenge != nil {
		g.Token, g.Login = challenge.scheme == "bearer", challenge.scheme == "basic"
	}
	return g, err
}

// A ProxyError reports a variable that holds no proxy's address. It does not show the
// value, which may hold a password.
type ProxyError struct{ Variable string }

func (e *ProxyError) Error() string { return e.Variable + " is not the address of a proxy" }

// proxySchemes are the schemes of proxies that Go can use.
var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// Proxy returns the proxy for a registry, as SCHEME://HOST[:PORT] without user and
// password; "" if there is none. The error is *ProxyError.
func (c *Client) Proxy(registry string) (string, error) {
	h := c.host(registry)
	if h.transports.proxy == nil {
		return "", nil
	}
	proxy, err := h.transports.proxy(&http.Request{URL: h.url()})
	if err == nil && proxy == nil {
		return "", nil
	}
	if err != nil || !isProxy(proxy) {
		return "", &ProxyError{Variable: strings.ToUpper(h.scheme) + "_PROXY"}
	}
	return proxy.Scheme + "://" + proxy.Host, nil
}

// isProxy reports whether a URL leads to a proxy. Go puts "http://" before a value that
// it cannot read, and then may read the value's own scheme as the host.
func isProxy(u *url.URL) bool {
	return u.Hostname() != "" && !strings.HasSuffix(u.Host, ":") && slices.Contains(proxySchemes, u.Scheme)
}

package fetch

import (
	"context"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
)

type (
	// A Greeting is a registry's answer to the question how to authenticate.
	Greeting = registry.Greeting
	// A ProxyError reports a variable that holds no proxy's address.
	ProxyError = registry.ProxyError
)

// Ping asks a registry once, without credentials, how to authenticate.
func (f *Fetcher) Ping(ctx context.Context, host string) (Greeting, error) {
	return f.sources.Ping(ctx, host)
}

// PingMirror is Ping for a mirror, or for a location in the place of a registry.
func (f *Fetcher) PingMirror(ctx context.Context, host string) (Greeting, error) {
	return f.sources.PingMirror(ctx, host)
}

// Proxy returns the proxy for a registry, without user and password; "" if there is
// none. The error is *ProxyError.
func (f *Fetcher) Proxy(host string) (string, error) { return f.sources.Proxy(host) }

// ExplainSources says where a reference leads. It reads the files of Options.Mirrors, and
// asks nobody.
func (f *Fetcher) ExplainSources(ref ociref.Reference) (*sources.Explanation, error) {
	return f.sources.Explain(ref)
}

// CheckSources tells whether anybody may be asked for a reference. It reads the files of
// Options.Mirrors, and asks nobody.
//
// Errors: *sources.BlockedError, and those of reading these files.
func (f *Fetcher) CheckSources(ref ociref.Reference) error { return f.sources.Check(ref) }

package registry

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
)

// A Mirror says how to ask a registry that a configuration names for another one.
type Mirror struct {
	// Namespace is the value of the parameter ns of requests, by which a proxy for several
	// registries knows which one is meant; "" sends none.
	// https://github.com/containerd/containerd/blob/main/docs/hosts.md#registry-host-namespace
	Namespace string
	// Once sends no request again that failed: another registry is asked next.
	Once bool
}

// Mirror returns a Client for a mirror. It shares connections, tokens and answers with c,
// and connects to no link-local address and to no cloud's metadata service. To other private
// addresses it does: the user names mirrors.
func (c *Client) Mirror(m Mirror) *Client { return &Client{core: c.core, mirror: &m} }

type mirrorKey struct{}

// mark marks the requests of a Client for a mirror.
func (c *Client) mark(ctx context.Context) context.Context {
	if c.mirror == nil {
		return ctx
	}
	return context.WithValue(ctx, mirrorKey{}, c.mirror)
}

// mirrorOf returns the mirror that a request is for, nil if it is for none.
func mirrorOf(ctx context.Context) *Mirror {
	m, _ := ctx.Value(mirrorKey{}).(*Mirror)
	return m
}

func (m *Mirror) isAskedOnce() bool { return m != nil && m.Once }

// query returns the query of a request, with the namespace. A page's link may have it
// already.
func (m *Mirror) query(q string) string {
	if m == nil || m.Namespace == "" {
		return q
	}
	if values, err := url.ParseQuery(q); err == nil && values.Has("ns") {
		return q
	}
	if q != "" {
		q += "&"
	}
	return q + url.Values{"ns": {m.Namespace}}.Encode()
}

// A mirrorAddressError ends a connection to a mirror at an address that no mirror has.
type mirrorAddressError struct{ addr netip.Addr }

func (e *mirrorAddressError) Error() string {
	return fmt.Sprintf("a mirror has no link-local address, and none of cloud metadata: %s", e.addr)
}

func (*mirrorAddressError) own() {}

// checkMirror is the addressCheck of connections to mirrors.
func checkMirror(addr netip.Addr) error {
	if zoneOf(addr) == linkLocal {
		return &mirrorAddressError{addr}
	}
	return nil
}

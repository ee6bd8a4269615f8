package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
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

// mirrorControl is the control of connections to mirrors.
func mirrorControl(_ context.Context, _, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if zoneOf(addr.Addr()) == linkLocal {
		return &mirrorAddressError{addr.Addr()}
	}
	return nil
}

// refusingMirrors does the work of mirrorControl for a transport with a dialer of its own.
func refusingMirrors(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err := mirrorControl(ctx, network, conn.RemoteAddr().String(), nil); errors.As(err, new(*mirrorAddressError)) {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

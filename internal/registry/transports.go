package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Transports connect to the network: own to the registries that the user names,
// wherever they are, the foreign ones to hosts that a registry names. Those refuse
// addresses that the registry may not reach. They share no connections, so that each is
// used only for the purpose it was dialled for.
type transports struct {
	proxy       func(*http.Request) (*url.URL, error) // may be nil
	trust       func()                                // reads the system's certificates, once
	connections int                                   // to a host at once, at most

	mu      sync.Mutex
	own     pair
	mirror  pair            // own, but not to link-local addresses
	foreign map[zone]*pair  // by the zone of the registry that names the host
	dialled map[string]zone // by host:port; own dialled them
}

// A pair of transports has the connections of a lane. They are the same one if that makes its
// own connections.
type pair struct{ shared, spread http.RoundTripper }

// newTransports returns transports that send as base does. If base is no
// *http.Transport, it sends everything and makes its own connections.
func newTransports(base http.RoundTripper, resolver *net.Resolver) *transports {
	t := &transports{
		trust: func() {}, connections: maxConnections, dialled: map[string]zone{},
		own: pair{base, base}, mirror: pair{base, base}, foreign: map[zone]*pair{private: {base, base}, loopback: {base, base}},
	}
	transport, ok := base.(*http.Transport)
	if !ok {
		return t
	}
	t.proxy = transport.Proxy
	if config := transport.TLSClientConfig; config == nil || config.RootCAs == nil {
		t.trust = sync.OnceFunc(readSystemTrust)
	}
	transport = transport.Clone()
	if most := transport.MaxConnsPerHost; most > 0 {
		t.connections = min(most, maxConnections)
	}
	transport.MaxConnsPerHost = t.connections
	transport.MaxIdleConnsPerHost = cmp.Or(transport.MaxIdleConnsPerHost, t.connections) // net/http keeps two
	if transport.OnProxyConnectResponse == nil {
		transport.OnProxyConnectResponse = checkProxy
	}
	dialer := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Resolver: resolver}
	for limit := range t.foreign {
		check := addressCheck(limit.check)
		*t.foreign[limit] = dialling(transport, dialer, check.control, check.refusing)
	}
	t.own = dialling(transport, dialer, nil, t.noting)
	check := addressCheck(checkMirror)
	t.mirror = dialling(transport, dialer, check.control, func(d dial) dial { return check.refusing(t.noting(d)) })
	return t
}

// dialling returns transports that connect through wrap: with base's own dialers if it
// has any, else with dialer under control.
func dialling(base *http.Transport, dialer net.Dialer, control control, wrap func(dial) dial) pair {
	t := base.Clone()
	if t.DialContext == nil {
		dialer.ControlContext = control
		t.DialContext = dialer.DialContext
	}
	t.DialContext = wrap(t.DialContext)
	if t.DialTLSContext != nil {
		t.DialTLSContext = wrap(t.DialTLSContext)
	}
	if t.MaxConnsPerHost <= sharedConnections || t.DialTLSContext != nil {
		return pair{t, t} // its dialer chooses the protocol
	}
	shared, spread := t, t.Clone()
	shared.MaxConnsPerHost = sharedConnections
	spread.MaxConnsPerHost -= sharedConnections
	onlyHTTP1(spread)
	return pair{shared, spread}
}

// onlyHTTP1 makes a transport offer HTTP/1.1 alone. A clone has the settings that its
// original was given, and those that net/http derived from them.
func onlyHTTP1(t *http.Transport) {
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
}

// A proxyError reports a proxy that refuses to connect to a registry.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.status, http.StatusText(e.status))
}

func (*proxyError) own() {}

func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{resp.StatusCode}
}

type (
	dial    = func(ctx context.Context, network, address string) (net.Conn, error)
	control = func(ctx context.Context, network, address string, c syscall.RawConn) error
)

// A localAddressError ends a connection to a local address that a remote registry
// named.
type localAddressError struct{ addr netip.Addr }

func (e *localAddressError) Error() string {
	return fmt.Sprintf("sent to a name with the local address %s", e.addr)
}

func (*localAddressError) own() {}

// check refuses addresses beyond limit. Names may lead to private networks: TLS proves the
// name.
func (limit zone) check(addr netip.Addr) error {
	if zoneOf(addr) > limit {
		return &localAddressError{addr}
	}
	return nil
}

// An addressCheck returns why there may be no connection to an address; nil if there may.
type addressCheck func(netip.Addr) error

// control keeps a dialer from connecting to an address that is refused.
func (check addressCheck) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	return check(addr.Addr())
}

// refusing does the work of control for a transport with a dialer of its own, whose
// connections may have no such address.
func (check addressCheck) refusing(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if addr, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			if err := check(addr.Addr()); err != nil {
				conn.Close()
				return nil, err
			}
		}
		return conn, nil
	}
}

// noting records the zones of the hosts that d connects to.
func (t *transports) noting(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if addr, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			now := zoneOf(addr.Addr())
			if before, ok := t.dialled[address]; !ok || now < before { // a name may have several addresses
				t.dialled[address] = now
			}
		}
		return conn, nil
	}
}

// zoneOfRegistry returns the zone of the registry at u. Behind a proxy it knows the
// name alone.
func (t *transports) zoneOfRegistry(u *url.URL) zone {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(zoneOfHost(u.Host), t.dialled[hostOf(u)])
}

// isOnThisMachine reports whether requests to u stay on this machine: the name and the
// last connection say so, and there is no proxy.
func (t *transports) isOnThisMachine(u *url.URL) bool {
	if t.proxyOf(&http.Request{URL: u}) != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	dialled, ok := t.dialled[hostOf(u)]
	return isLoopback(u.Host) && (!ok || dialled == loopback)
}

// readSystemTrust reads the system's certificates before connections and files are
// open. A later read that lacks descriptors would lose them for good, and every
// certificate would count as bad.
func readSystemTrust() { x509.SystemCertPool() }

// pick returns the transport for req, over a shared connection or not. Behind a proxy every
// connection goes to the proxy.
func (t *transports) pick(req *http.Request, registry *url.URL, shared bool) http.RoundTripper {
	if req.URL.Scheme == "https" {
		t.trust()
	}
	proxy := t.proxyOf(req)
	limit := max(private, t.zoneOfRegistry(registry))
	t.mu.Lock()
	defer t.mu.Unlock()
	of := &t.own
	if foreign, ok := t.foreign[limit]; ok && proxy == nil && hostOf(req.URL) != hostOf(registry) {
		of = foreign
	} else if mirrorOf(req.Context()) != nil {
		of = &t.mirror
	}
	if shared && (proxy == nil || proxy.Scheme != "https") {
		return of.shared
	}
	return of.spread // to a proxy behind TLS, too, net/http offers HTTP/2, which it cannot speak there
}

// proxyOf returns the proxy for a request, nil if there is none.
func (t *transports) proxyOf(req *http.Request) *url.URL {
	if t.proxy == nil {
		return nil
	}
	proxy, err := t.proxy(req)
	if err != nil {
		return nil
	}
	return proxy
}

// closeIdle closes the connections that no request uses.
func (t *transports) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pairs() {
		for _, transport := range []http.RoundTripper{p.shared, p.spread} {
			if ours, ok := transport.(*http.Transport); ok {
				ours.CloseIdleConnections()
			}
		}
	}
}

// pairs returns all of them. t.mu is held.
func (t *transports) pairs() []*pair {
	return slices.AppendSeq([]*pair{&t.own, &t.mirror}, maps.Values(t.foreign))
}

// renew makes later requests of a transport dial again: its connection may be dead, and
// HTTP/2 would use it again. Current requests continue.
func (t *transports) renew(stalled http.RoundTripper) {
	transport, ok := stalled.(*http.Transport)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pairs() {
		p.renew(transport)
	}
	transport.CloseIdleConnections()
}

// renew replaces a transport of the pair, if it is one.
func (p *pair) renew(stalled *http.Transport) {
	shared, spread := p.shared == http.RoundTripper(stalled), p.spread == http.RoundTripper(stalled)
	if shared || spread {
		stalled = stalled.Clone()
	}
	if shared {
		p.shared = stalled
	}
	if spread {
		p.spread = stalled
	}
}

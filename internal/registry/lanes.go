package registry

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// Lanes are the ways out to the network: one to the registries that the user
// names, wherever they are, the others to where a registry sends a request,
// which refuse what it could not reach itself. They share no connections, so
// that none is used for what it was not dialled for.
type lanes struct {
	proxy func(*http.Request) (*url.URL, error) // nil: there is none
	trust func()                                // reads what the system trusts, once

	mu      sync.Mutex
	own     http.RoundTripper
	foreign map[reach]http.RoundTripper // by the reach of the registry that sends one there
	reached map[string]reach            // by host:port, of what the own lane dialled
}

// newLanes returns lanes that send as base does. What is not an
// *http.Transport sends all and sees to its own connections.
func newLanes(base http.RoundTripper, resolver *net.Resolver) *lanes {
	l := &lanes{trust: func() {}, own: base, foreign: map[reach]http.RoundTripper{private: base, loopback: base}, reached: map[string]reach{}}
	transport, ok := base.(*http.Transport)
	if !ok {
		return l
	}
	l.proxy = transport.Proxy
	if tls := transport.TLSClientConfig; tls == nil || tls.RootCAs == nil {
		l.trust = sync.OnceFunc(readSystemTrust)
	}
	transport = transport.Clone()
	if transport.OnProxyConnectResponse == nil {
		transport.OnProxyConnectResponse = checkProxy
	}
	dialer := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Resolver: resolver}
	for limit := range l.foreign {
		l.foreign[limit] = dialling(transport, dialer, limit.control, limit.refusing)
	}
	l.own = dialling(transport, dialer, nil, l.noting)
	return l
}

// dialling returns a transport whose connections are made as wrap says: by its
// own dialers if it has any, else by dialer under control.
func dialling(base *http.Transport, dialer net.Dialer, control control, wrap func(dial) dial) *http.Transport {
	t := base.Clone()
	if t.DialContext == nil {
		dialer.ControlContext = control
		t.DialContext = dialer.DialContext
	}
	t.DialContext = wrap(t.DialContext)
	if t.DialTLSContext != nil {
		t.DialTLSContext = wrap(t.DialTLSContext)
	}
	return t
}

// A proxyError reports a proxy that does not connect one to a registry.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.status, http.StatusText(e.status))
}

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

// A localAddressError ends a connection to an address that a registry
// elsewhere has no business to send one to.
type localAddressError struct{ addr netip.Addr }

func (e *localAddressError) Error() string {
	return fmt.Sprintf("sent to a name with the local address %s", e.addr)
}

// control keeps a dialer from connecting to what is not reached as widely as
// limit. Addresses of private networks are allowed by name: TLS proves the name.
func (limit reach) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if reachOf(addr.Addr()) > limit {
		return &localAddressError{addr.Addr()}
	}
	return nil
}

// refusing is control for a transport that brought a dialer of its own.
func (limit reach) refusing(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err := limit.control(ctx, network, conn.RemoteAddr().String(), nil); errors.As(err, new(*localAddressError)) {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// noting remembers where the hosts are that d connects to.
func (l *lanes) noting(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if addr, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			now := reachOf(addr.Addr())
			if before, ok := l.reached[address]; !ok || now < before { // a name may have several addresses
				l.reached[address] = now
			}
		}
		return conn, nil
	}
}

// reachOfRegistry returns who can reach the registry at u. Behind a proxy only
// its name tells.
func (l *lanes) reachOfRegistry(u *url.URL) reach {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(reachOfHost(u.Host), l.reached[hostOf(u)])
}

// isOnThisMachine tells whether requests to u stay on this machine: its name
// says so, and so does the connection that there was, and no proxy is between.
func (l *lanes) isOnThisMachine(u *url.URL) bool {
	if l.isProxied(&http.Request{URL: u}) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	reached, ok := l.reached[hostOf(u)]
	return isLoopback(u.Host) && (!ok || reached == loopback)
}

// readSystemTrust has the certificates read that the system trusts, before connections
// and files are open: were there no descriptors left for them, or for some of them, they
// would be read no more, and every certificate would be a bad one.
func readSystemTrust() { x509.SystemCertPool() }

// take returns the lane for req. Behind a proxy connections go to the proxy,
// wherever that is.
func (l *lanes) take(req *http.Request, registry *url.URL) http.RoundTripper {
	if req.URL.Scheme == "https" {
		l.trust()
	}
	proxied := l.isProxied(req)
	limit := max(private, l.reachOfRegistry(registry))
	l.mu.Lock()
	defer l.mu.Unlock()
	if lane, ok := l.foreign[limit]; ok && !proxied && hostOf(req.URL) != hostOf(registry) {
		return lane
	}
	return l.own
}

func (l *lanes) isProxied(req *http.Request) bool {
	if l.proxy == nil {
		return false
	}
	proxy, err := l.proxy(req)
	return err == nil && proxy != nil
}

// renew has whatever follows on a lane dialled anew: its connection may be dead,
// and HTTP/2 would use it again. What is under way goes on.
func (l *lanes) renew(lane http.RoundTripper) {
	transport, ok := lane.(*http.Transport)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for limit, foreign := range l.foreign {
		if foreign == lane {
			l.foreign[limit] = transport.Clone()
		}
	}
	if l.own == lane {
		l.own = transport.Clone()
	}
	transport.CloseIdleConnections()
}

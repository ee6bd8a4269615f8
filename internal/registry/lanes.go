package registry

import (
	"context"
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

// Lanes are the two ways out to the network: one to the registries that the
// user names, wherever they are, one to where a registry sends a request,
// which refuses what only this machine can reach. They share no connections,
// so that none is used for what it was not dialled for.
type lanes struct {
	proxy func(*http.Request) (*url.URL, error) // nil: there is none

	mu      sync.Mutex
	own     http.RoundTripper
	foreign http.RoundTripper
	reached map[string]reach // by host:port, of what the own lane dialled
}

// newLanes returns lanes that send as base does. What is not an
// *http.Transport sends both and sees to its own connections.
func newLanes(base http.RoundTripper, resolver *net.Resolver) *lanes {
	l := &lanes{own: base, foreign: base, reached: map[string]reach{}}
	transport, ok := base.(*http.Transport)
	if !ok {
		return l
	}
	l.proxy = transport.Proxy
	transport = transport.Clone()
	if transport.OnProxyConnectResponse == nil {
		transport.OnProxyConnectResponse = checkProxy
	}
	own, foreign := transport.Clone(), transport.Clone()
	dialer := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second, Resolver: resolver}
	guarded := dialer
	guarded.ControlContext = refuseLocal
	if transport.DialContext == nil {
		own.DialContext, foreign.DialContext = dialer.DialContext, guarded.DialContext
	}
	own.DialContext, foreign.DialContext = l.noting(own.DialContext), refusing(foreign.DialContext)
	l.own, l.foreign = own, foreign
	return l
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

type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// A localAddressError ends a connection to an address that a registry
// elsewhere has no business to send one to.
type localAddressError struct{ addr netip.Addr }

func (e *localAddressError) Error() string {
	return fmt.Sprintf("sent to a name with the local address %s", e.addr)
}

// refuseLocal keeps a dialer from connecting to what only this machine can
// reach. Addresses of private networks are allowed by name: TLS proves the name.
func refuseLocal(_ context.Context, _, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if reachOf(addr.Addr()) >= loopback {
		return &localAddressError{addr.Addr()}
	}
	return nil
}

// refusing is refuseLocal for a transport that brought a dialer of its own.
func refusing(d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if err := refuseLocal(ctx, network, conn.RemoteAddr().String(), nil); errors.As(err, new(*localAddressError)) {
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
// says so, and so does the connection that there was.
func (l *lanes) isOnThisMachine(u *url.URL) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	reached, ok := l.reached[hostOf(u)]
	return isLoopback(u.Host) && (!ok || reached == loopback)
}

// take returns the lane for req. Behind a proxy connections go to the proxy,
// wherever that is; and a registry on this machine may send one to it.
func (l *lanes) take(req *http.Request, registry *url.URL) http.RoundTripper {
	proxied := false
	if l.proxy != nil {
		proxy, err := l.proxy(req)
		proxied = err == nil && proxy != nil
	}
	local := l.reachOfRegistry(registry) >= loopback
	l.mu.Lock()
	defer l.mu.Unlock()
	if proxied || local || hostOf(req.URL) == hostOf(registry) {
		return l.own
	}
	return l.foreign
}

// renew has whatever follows on a lane dialled anew: its connection may be dead,
// and HTTP/2 would use it again. What is under way goes on.
func (l *lanes) renew(lane http.RoundTripper) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range []*http.RoundTripper{&l.own, &l.foreign} {
		if transport, ok := (*at).(*http.Transport); ok && lane == *at {
			*at = transport.Clone()
			transport.CloseIdleConnections()
		}
	}
}

package registry

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxHops bounds the redirects of one request.
const maxHops = 10

// DefaultStall is the time in which a request must make progress.
const DefaultStall = 60 * time.Second

// maxHeader bounds a response's header, in bytes.
const maxHeader = 1 << 20

// NewTransport returns the default transport: the system's trust and proxies, no
// compression (the bytes to hash are the bytes sent), and HTTP/1.1.
//
// HTTP/2 would send all concurrent downloads over one connection. One lost segment
// holds up all of them, and its frames cost time:
// https://github.com/golang/go/issues/47840. Its streams save round trips where
// requests are many and small; here there are two a pack. HTTP/1.1 takes several
// connections; all but the first resume the TLS session.
func NewTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		Protocols:              &protocols,
		TLSClientConfig:        &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(0)},
		DisableCompression:     true,
		MaxIdleConnsPerHost:    64,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    15 * time.Second,
	}
}

// A guard sends only permitted requests: HTTPS, or plain HTTP to a host that is listed
// for it; and from a registry only to addresses that the registry itself may reach.
// Every request passes it, including those of go-containerregistry and of redirects.
type guard struct {
	transports *transports
	insecure   []string
	userAgent  string
	stall      time.Duration
	underway   func(host string, n int) // may be nil
}

// errPlainHTTP refuses a first request over plain HTTP, for example to a token endpoint
// that a challenge names.
const errPlainHTTP = refusal("plain HTTP is not used: the host is not listed as insecure")

// errScheme refuses any other scheme.
const errScheme = refusal("only HTTPS is used")

// errNoHost refuses a URL without a host.
const errNoHost = refusal("sent to a URL without a host")

// errLocalTarget refuses a redirect from a remote registry to this machine, a private
// network or a cloud's metadata service.
const errLocalTarget = refusal("redirected to a local address")

// errLocalRealm refuses a token endpoint for the same reason.
const errLocalRealm = refusal("names a token endpoint with a local address")

// errMirrorTarget refuses a mirror that nobody can mean.
const errMirrorTarget = refusal("a mirror has no link-local address, and none of cloud metadata")

type registryKey struct{}

// withRegistry marks the requests that serve the registry at u.
func withRegistry(ctx context.Context, u *url.URL) context.Context {
	return context.WithValue(ctx, registryKey{}, u)
}

// registryOf returns the registry that req serves.
func registryOf(req *http.Request) *url.URL {
	if u, ok := req.Context().Value(registryKey{}).(*url.URL); ok {
		return u
	}
	return req.URL
}

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := g.check(req); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	// This header keeps every transport from asking for compression, and from undoing
	// it unseen: the bytes to hash are the bytes sent.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Del("Referer") // it may hold a signed URL
	if g.userAgent != "" {
		req.Header.Set("User-Agent", g.userAgent)
	}
	over := g.track(req.URL.Host)
	transport := g.transports.pick(req, registryOf(req))
	resp, err := watched(transport, req, g.stall, func() { g.transports.renew(transport) })
	if err != nil {
		over()
		return nil, asTransient(err)
	}
	resp.Request = req // the next hop recognizes a redirect by it
	resp.Body = &underway{resp.Body, over}
	return resp, nil
}

// track reports a request that is sent; over reports that its response is finished.
func (g *guard) track(host string) (over func()) {
	if g.underway == nil {
		return func() {}
	}
	g.underway(host, 1)
	return sync.OnceFunc(func() { g.underway(host, -1) })
}

// An underway body reports when it is closed.
type underway struct {
	io.ReadCloser
	over func()
}

func (u *underway) Close() error {
	u.over()
	return u.ReadCloser.Close()
}

func (g *guard) check(req *http.Request) error {
	if req.URL.Hostname() == "" {
		return errNoHost
	}
	if err := g.checkTarget(req); err != nil {
		return err
	}
	from := redirectedFrom(req)
	plain := req.URL.Scheme == "http"
	switch listed := isListed(g.insecure, req.URL.Host); {
	case req.URL.Scheme == "https":
		return nil
	case plain && listed && (from == nil || from.URL.Scheme == "http"):
		return nil
	case from == nil && plain:
		return errPlainHTTP
	case from == nil:
		return errScheme
	}
	e := &ProtocolError{
		Subject: from.Method + " " + redacted(from.URL),
		Reason:  fmt.Sprintf("redirected away from HTTPS (%s)", redacted(req.URL)),
	}
	if plain {
		e.Reason = fmt.Sprintf("redirected to plain HTTP (%s)", redacted(req.URL))
	}
	return e
}

// checkTarget refuses local targets that the address or the name gives away; the
// transports check the addresses that names resolve to.
func (g *guard) checkTarget(req *http.Request) error {
	registry := registryOf(req)
	switch {
	case mirrorOf(req.Context()) != nil && zoneOfHost(registry.Host) == linkLocal:
		return errMirrorTarget
	case hostOf(req.URL) == hostOf(registry), zoneOfHost(req.URL.Host) <= g.transports.zoneOfRegistry(registry):
		return nil
	case redirectedFrom(req) == nil:
		return errLocalRealm
	}
	return errLocalTarget
}

// redirectedFrom returns the request whose response redirected to req, nil if req is a
// first request.
func redirectedFrom(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

func checkRedirect(_ *http.Request, via []*http.Request) error {
	if len(via) > maxHops {
		return errRedirects
	}
	return nil
}

// errRedirects ends a chain of redirects.
var errRedirects = refusal(fmt.Sprintf("stopped after %d redirects", maxHops))

// An authorized transport adds an Authorization header to the requests to one host, and
// to no others.
type authorized struct {
	base         http.RoundTripper
	scheme, host string // as in the URLs of requests
	header       string // "" adds none
}

func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.header != "" && req.URL.Scheme == a.scheme && req.URL.Host == a.host {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", a.header)
	}
	return a.base.RoundTrip(req)
}

func isListed(hosts []string, host string) bool {
	for _, h := range hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

// A zone says who can reach an address, from everybody to almost nobody. A registry may
// send requests only to zones at least as public as its own. Otherwise it could make
// this machine query its own services, or a cloud's metadata service for the account's
// keys.
type zone int

const (
	public    zone = iota // and all other names
	private               // private networks
	loopback              // this machine
	linkLocal             // and cloud metadata, at any address
)

// metadataNames are names of cloud metadata services; a proxy would resolve them.
var metadataNames = []string{"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}

// metadataAddresses are the addresses of such services that are not link-local: of AWS
// over IPv6, Alibaba, Oracle, Azure.
var metadataAddresses = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("168.63.129.16"),
}

var (
	sharedSpace = netip.MustParsePrefix("100.64.0.0/10")  // RFC 6598: as good as private
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")      // RFC 1122: reaches this machine
	localNAT64  = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215: prefixes of any length that it has room for
)

// embeddings are the IPv6 prefixes that embed IPv4 addresses, and the places of their
// bytes. Mapped addresses are unmapped before.
var embeddings = []struct {
	prefix netip.Prefix
	at     [4]int
	mask   byte // all its bytes are XORed with it
}{
	{prefix: netip.MustParsePrefix("::/96"), at: [4]int{12, 13, 14, 15}},                 // compatible: RFC 4291, 2.5.5.1
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), at: [4]int{12, 13, 14, 15}},       // translated: RFC 2765, 2.1
	{prefix: netip.MustParsePrefix("2002::/16"), at: [4]int{2, 3, 4, 5}},                 // 6to4: RFC 3056, 2
	{prefix: netip.MustParsePrefix("2001::/32"), at: [4]int{4, 5, 6, 7}},                 // Teredo, its server: RFC 4380, 4
	{prefix: netip.MustParsePrefix("2001::/32"), at: [4]int{12, 13, 14, 15}, mask: 0xff}, // Teredo, its client
	{prefix: netip.MustParsePrefix("64:ff9b::/96"), at: [4]int{12, 13, 14, 15}},          // NAT64: RFC 6052, 2.1
	{prefix: localNAT64, at: [4]int{6, 7, 9, 10}},                                        // NAT64 with a prefix of 48 bits: RFC 6052, 2.2
	{prefix: localNAT64, at: [4]int{7, 9, 10, 11}},                                       // of 56
	{prefix: localNAT64, at: [4]int{9, 10, 11, 12}},                                      // of 64
	{prefix: localNAT64, at: [4]int{12, 13, 14, 15}},                                     // of 96
}

// zoneOf returns the zone of an address, or of the least public address that it embeds.
func zoneOf(addr netip.Addr) zone {
	addr = addr.Unmap().WithZone("")
	r := zoneOfOne(addr)
	for _, v4 := range embedded(addr) {
		r = max(r, zoneOfOne(v4))
	}
	return r
}

// zoneOfOne is zoneOf without embedded addresses.
func zoneOfOne(addr netip.Addr) zone {
	switch {
	case slices.Contains(metadataAddresses, addr), addr.IsLinkLocalUnicast(), addr.IsMulticast():
		return linkLocal
	case addr.IsLoopback(), addr.IsUnspecified(), thisNetwork.Contains(addr):
		return loopback
	case addr.IsPrivate(), sharedSpace.Contains(addr):
		return private
	}
	return public
}

// embedded returns the IPv4 addresses that an IPv6 address embeds.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	var found, filling []netip.Addr
	bytes := addr.As16()
	for _, e := range embeddings {
		if !e.prefix.Contains(addr) {
			continue
		}
		var v4 [4]byte
		for i, at := range e.at {
			v4[i] = bytes[at] ^ e.mask
		}
		if one := netip.AddrFrom4(v4); e.prefix == localNAT64 && thisNetwork.Contains(one) {
			filling = append(filling, one)
		} else {
			found = append(found, one)
		}
	}
	if found == nil {
		return filling
	}
	return found // most readings of a local prefix of unknown length are zeros
}

// zoneOfHost returns the zone of a host[:port] as far as its name tells, without a
// look-up.
func zoneOfHost(hostport string) zone {
	host := hostOnly(hostport)
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) {
		return linkLocal // net/http maps full-width digits to digits: such a name hides something
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, name := range metadataNames {
		if host == name {
			return linkLocal
		}
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return loopback
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return zoneOf(addr)
	case endsInNumber(host):
		return linkLocal // "127.1", "0x7f000001": some resolvers take it for an address
	}
	return public
}

// endsInNumber reports whether resolvers may read a host as an IPv4 address because of
// its last label, although it is not four decimal numbers.
// https://url.spec.whatwg.org/#ends-in-a-number-checker
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isLocal reports whether host[:port] is localhost or a literal address that is not
// public.
func isLocal(hostport string) bool { return zoneOfHost(hostport) > public }

// isLoopback reports whether requests to host[:port] stay on this machine: it is
// localhost or a loopback address. Names below localhost are looked up like any other.
func isLoopback(hostport string) bool {
	host := hostOnly(hostport)
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// hostOnly returns host[:port] without port and brackets.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// hostOf returns the host:port of u, with the default port of its scheme.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

package registry

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// A reach says who can reach an address, from everybody to almost nobody. A
// registry may send one only to what is reached at least as widely as it is
// itself: otherwise it could have this machine ask its own services, or a
// cloud's for the keys of the account.
type reach int

const (
	public    reach = iota // and names, of which nothing is known
	private                // private networks
	loopback               // this machine
	linkLocal              // and cloud metadata, wherever that is
)

// metadataNames are names of cloud metadata services; a proxy would resolve
// them out of sight.
var metadataNames = []string{"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}

// metadataAddresses are those of such services that are not link-local: of
// AWS over IPv6, Alibaba, Oracle, Azure.
var metadataAddresses = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("192.0.0.192"),
	netip.MustParseAddr("168.63.129.16"),
}

var (
	sharedSpace = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598: as good as private
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")     // RFC 1122: reaches this machine
	// Addresses that hold an IPv4 address in their last four bytes: RFC 6052,
	// RFC 8215, and RFC 4291's old "compatible" ones.
	translated = []netip.Prefix{
		netip.MustParsePrefix("64:ff9b::/96"),
		netip.MustParsePrefix("64:ff9b:1::/96"),
		netip.MustParsePrefix("::/96"),
	}
)

// reachOf returns the reach of an address.
func reachOf(addr netip.Addr) reach {
	addr = embedded(addr.Unmap().WithZone(""))
	for _, metadata := range metadataAddresses {
		if addr == metadata {
			return linkLocal
		}
	}
	switch {
	case addr.IsLinkLocalUnicast(), addr.IsMulticast():
		return linkLocal
	case addr.IsLoopback(), addr.IsUnspecified(), thisNetwork.Contains(addr):
		return loopback
	case addr.IsPrivate(), sharedSpace.Contains(addr):
		return private
	}
	return public
}

// embedded returns the IPv4 address that an IPv6 address stands for, or addr.
func embedded(addr netip.Addr) netip.Addr {
	if addr.IsLoopback() || addr.IsUnspecified() {
		return addr
	}
	for _, prefix := range translated {
		if bytes := addr.As16(); addr.Is6() && prefix.Contains(addr) {
			return netip.AddrFrom4([4]byte(bytes[12:]))
		}
	}
	return addr
}

// reachOfHost returns what can be told of the reach of a host[:port] without
// looking its name up.
func reachOfHost(hostport string) reach {
	host := hostOnly(hostport)
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) {
		return linkLocal // net/http maps full-width digits to digits: who writes so hides something
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
		return reachOf(addr)
	case endsInNumber(host):
		return linkLocal // "127.1", "0x7f000001": some resolvers take it for an address
	}
	return public
}

// endsInNumber tells whether the last label of a host makes it an IPv4 address
// in the eyes of those who read more than four decimal numbers as one.
// https://url.spec.whatwg.org/#ends-in-a-number-checker
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// isLocal tells whether host[:port] is localhost or a literal address that is
// not public.
func isLocal(hostport string) bool { return reachOfHost(hostport) > public }

// isLoopback tells whether what is sent to host[:port] stays on this machine: it
// is localhost or a loopback address. Names below localhost are looked up like
// any other.
func isLoopback(hostport string) bool {
	host := hostOnly(hostport)
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// hostOnly is host[:port] without port and brackets.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// hostOf returns the host:port that u names, with the port that its scheme
// implies.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

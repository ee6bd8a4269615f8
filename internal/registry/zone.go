package registry

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

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

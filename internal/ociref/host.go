package ociref

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// dockerHub has the other names of docker.io: references name that one, its registry
// answers as registry-1, and older configurations say index.
var dockerHub = []string{"index.docker.io", "registry-1.docker.io"}

// CanonicalHost returns the one spelling of host[:port] in which registries are compared:
// in lower case, IPv6 as netip writes it, the port decimal, without that of HTTPS.
func CanonicalHost(registry string) string {
	host, port := strings.ToLower(registry), ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon+1:]
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && addr.Is6() {
		host = "[" + addr.String() + "]"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && n != 443 {
		return host + ":" + strconv.FormatUint(n, 10)
	}
	if slices.Contains(dockerHub, host) {
		return "docker.io"
	}
	return host
}

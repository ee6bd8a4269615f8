package ociref

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// dockerHub has the other names of docker.io: references name that one, its registry
// answers as registry-1, and older configurations and cosign say index.
var dockerHub = []string{"index.docker.io", "registry-1.docker.io"}

// CanonicalHost returns the one spelling of host[:port] in which registries are compared:
// in lower case, IPv6 as netip writes it, the port decimal, without that of HTTPS unless the
// host alone would be none.
func CanonicalHost(registry string) string {
	host, port := strings.ToLower(registry), ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon+1:]
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && addr.Is6() {
		host = "[" + addr.String() + "]"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil && (n != 443 || !isRegistry(host)) {
		return host + ":" + strconv.FormatUint(n, 10)
	}
	if slices.Contains(dockerHub, host) {
		return "docker.io"
	}
	return host
}

// isRegistry tells whether a reference can begin with host: a name without a dot needs its port.
func isRegistry(host string) bool { return looksLikeHost(host) && checkHost(host) == nil }

// CanonicalName returns host/repository in the one spelling in which names are compared.
func (r Reference) CanonicalName() string { return CanonicalHost(r.Registry) + "/" + r.Repository }

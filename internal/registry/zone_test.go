package registry

import (
	"net/netip"
	"net/url"
	"testing"
)

func TestZoneOf(t *testing.T) {
	for zone, addresses := range map[zone][]string{
		public: {
			"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "192.167.255.255", "100.63.255.255", "100.128.0.1",
			"169.253.255.255", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "fbff::1",
			// what embeds a public IPv4 address
			"::8.8.8.8", "::ffff:0:8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "64:ff9b:1:808:8:800::", "64:ff9b:1:8:8:808::",
			"64:ff9b:1:0:8:808:800:0", "64:ff9b:1::8.8.8.8",
			// what looks like it, and does not
			"2003:a00:1::", "2001:1:a00:1::", "64:ff9b:2::10.0.0.1", "::fffe:0:10.0.0.1", "2001:db8::10.0.0.1",
		},
		private: {
			"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fd00::1", "fc00::1",
			"100.64.0.1", "100.127.255.255", // carrier-grade NAT
			"::ffff:10.0.0.1", "::ffff:192.168.1.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1", "::10.0.0.1",
			"::ffff:0:10.0.0.1", "2002:a00:1::", "2002:c0a8:101:5::1", "2001:0:a00:1::f7f7:f7f7", "2001:0:808:808::f5ff:fffe",
			"64:ff9b:1:a00:0:100::", "64:ff9b:1:a:0:1::", "64:ff9b:1:0:a:0:100:0", "2002:6440:1::",
		},
		loopback: {
			"127.0.0.1", "127.255.255.254", "127.1.2.3", "::1", "0.0.0.0", "::", "0.1.2.3",
			"::ffff:127.0.0.1", "::ffff:0.0.0.0", "64:ff9b::127.0.0.1", "::127.0.0.1", "::1%lo",
			"::ffff:0:7f00:1", "::ffff:0:0:0", "2002:7f00:1::", "2002::1", "2001:0:7f00:1::f7f7:f7f7", "2001:0:808:808::80ff:fffe",
			"64:ff9b:1:7f00:0:100::", "64:ff9b:1:7f:0:1::", "64:ff9b:1:0:7f:0:100:0", "64:ff9b:1::127.0.0.1", "64:ff9b:1::",
		},
		linkLocal: {
			"169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254",
			"64:ff9b:1::a9fe:a9fe", "::169.254.169.254",
			"2002:a9fe:a9fe::", "2002:a9fe:a9fe:1::1", "::ffff:0:a9fe:a9fe", "2001:0:a9fe:a9fe::f7f7:f7f7", "2001:0:808:808::5601:5601",
			"64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00:0", "2002:6464:64c8::", "2002:e000:1::",
			"fd00:ec2::254", "100.100.100.200", "::ffff:100.100.100.200", "192.0.0.192", "168.63.129.16", "64:ff9b::168.63.129.16",
			"224.0.0.1", "239.255.255.255", "ff02::1",
		},
	} {
		for _, address := range addresses {
			if got := zoneOf(netip.MustParseAddr(address)); got != zone {
				t.Errorf("%s: got %d, want %d", address, got, zone)
			}
		}
	}
}

// hostsByZone are hosts of URLs, as a registry may write them.
var hostsByZone = map[zone][]string{
	public: {
		"", "ghcr.io", "ghcr.io:443", "8.8.8.8", "8.8.8.8:443", "[2606:4700::1111]:443", "localhost.example", "127.0.0.1.example",
		"mylocalhost", "metadata.example", "10.example", "0x7f.example", "169.254.169.254.nip.example", "xn--localhost-x",
	},
	private: {"10.0.0.1", "10.0.0.1:5000", "192.168.1.1.", "172.16.0.1:443", "100.64.0.1", "[fd00::1]", "[::ffff:10.0.0.1]:443", "[2002:a00:1::]:443"},
	loopback: {
		"localhost", "LOCALHOST:443", "localhost.", "a.localhost", "a.b.LocalHost.:5000", "127.0.0.1", "127.8.8.8:443", "127.0.0.1.",
		"0.0.0.0", "[::]", "[::1]:443", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]:8443", "[0:0:0:0:0:0:0:1]",
		"[::ffff:0:7f00:1]", "[::ffff:0:7f00:1]:443", "[2002:7f00:1::]",
	},
	linkLocal: {
		// cloud metadata and its many spellings
		"169.254.169.254", "169.254.169.254:80", "169.254.169.254.", "[fe80::1]", "[fe80::1%25eth0]", "[::ffff:169.254.169.254]",
		"[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[2002:a9fe:a9fe::]:443", "[fd00:ec2::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16",
		"metadata.google.internal", "METADATA.google.internal.", "metadata", "metadata:80", "metadata.goog", "instance-data", "instance-data.ec2.internal",
		// what some resolvers take for an address
		"127.1", "127.0.1", "0x7f.1", "0x7f000001", "0X7F.0.0.1", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.01", "0", "0x", "1", "256.256.256.256",
		"2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518", "169.16689662", "1.2.3.4.5",
		// what net/http maps to ASCII
		"\uff11\uff12\uff17.0.0.1", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "127\u30020.0.1", "b\u00fccher.example",
	},
}

func TestZoneOfHost(t *testing.T) {
	for zone, hosts := range hostsByZone {
		for _, host := range hosts {
			if got := zoneOfHost(host); got != zone {
				t.Errorf("%q: got %d, want %d", host, got, zone)
			}
			if got := isLocal(host); got != (zone > public) {
				t.Errorf("%q: isLocal %t", host, got)
			}
		}
	}
}

// Credentials stay on this machine only where nobody is asked where it is.
func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost:5000": true, "127.0.0.1": true, "127.8.8.8:443": true, "[::1]": true, "[::1]:443": true, "[::ffff:127.0.0.1]:5000": true,
		"a.localhost": false, "reg.localhost:5000": false, "localhost.example": false, "0.0.0.0": false, "[::]:80": false, "127.1": false,
		"10.0.0.1": false, "169.254.169.254": false, "ghcr.io": false, "": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: got %t, want %t", host, got, want)
		}
	}
}

func TestHostOf(t *testing.T) {
	for from, want := range map[string]string{
		"https://Registry.EXAMPLE/v2/": "registry.example:443",
		"http://registry.example/":     "registry.example:80",
		"https://registry.example:80/": "registry.example:80",
		"https://[::1]/":               "[::1]:443",
		"ftp://registry.example/":      "registry.example:",
	} {
		u, err := url.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostOf(u); got != want {
			t.Errorf("%s: got %s, want %s", from, got, want)
		}
	}
}

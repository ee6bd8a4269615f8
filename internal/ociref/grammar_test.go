package ociref

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

// The distribution specification's own words for <name> and <reference> as a
// tag, https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests.
var (
	specName = regexp.MustCompile(`\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z`)
	specTag  = regexp.MustCompile(`\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z`)
)

func FuzzRepositoryIsSpecName(f *testing.F) {
	for _, s := range []string{"", "a", "a/b", "a//b", "a.b", "a..b", "a__b", "a___b", "a--b", "a-", "-a", "a/", "/a", "A", "é", "a\n", "a._b", ".."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := checkRepository(s) == nil, specName.MatchString(s); got != want {
			t.Errorf("repository %q: accepted %t, the specification says %t", s, got, want)
		}
	})
}

func FuzzTagIsSpecTag(f *testing.F) {
	for _, s := range []string{"", "a", "_", ".", "-", "A.-_", "1.0+b", "a\n", "é", strings.Repeat("a", 128), strings.Repeat("a", 129)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := CheckTag(s) == nil, specTag.MatchString(s); got != want {
			t.Errorf("tag %q: accepted %t, the specification says %t", s, got, want)
		}
	})
}

// FuzzIPv6Host checks literals against the standard library's parser.
func FuzzIPv6Host(f *testing.F) {
	for _, s := range []string{"", "::", "::1", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "fe80::1%eth0", "192.0.2.1", "abc", "]", "::1]:80/["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := netip.ParseAddr(s)
		want := err == nil && addr.Is6() && addr.Zone() == ""
		if got := ParseHost("["+s+"]:80") == nil; got != want {
			t.Errorf("host %q: accepted %t, want %t", "["+s+"]:80", got, want)
		}
	})
}

// FuzzParse checks that what Parse accepts is made of the grammar's parts
// alone, and that String is its inverse.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a", "oci://", "ghcr.io/a/b:1@" + digestOfNothing, "oci://localhost:5000/a", "[::1]:5000/a:t", "a.b/c:d", "a.b/c@sha256:", "a.b:/c", "a.b/../c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := Parse(s)
		if err != nil {
			if ref != (Reference{}) {
				t.Errorf("Parse(%q) returns %+v beside its error", s, ref)
			}
			return
		}
		if !specName.MatchString(ref.Repository) || ref.Tag != "" && !specTag.MatchString(ref.Tag) {
			t.Errorf("Parse(%q) = %+v, which is not in the specification's grammar", s, ref)
		}
		if _, err := ParseDigest(string(ref.Digest)); ref.Digest != "" && err != nil {
			t.Errorf("Parse(%q): %v", s, err)
		}
		if err := ParseHost(ref.Registry); err != nil {
			t.Errorf("Parse(%q): %v", s, err)
		}
		if got := ref.String(); got != strings.TrimPrefix(s, "oci://") {
			t.Errorf("Parse(%q).String() = %q", s, got)
		}
		again, err := Parse(ref.Text())
		if err != nil || again != ref {
			t.Errorf("Parse(%q) = %+v, but of its Text() it is %+v, %v", s, ref, again, err)
		}
	})
}

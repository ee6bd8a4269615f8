package ociref

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	longest := strings.Repeat("a", 255-len("reg.example/"))
	tag128 := strings.Repeat("t", 128)
	label63 := strings.Repeat("l", 63)
	for _, test := range []struct {
		s    string
		want Reference
	}{
		{"ghcr.io/a", Reference{Registry: "ghcr.io", Repository: "a"}},
		{"ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.38@" + digestOfNothing, Reference{Registry: "ghcr.io", Repository: "greenticai/greentic-packs/messaging-slack", Tag: "0.4.38", Digest: digestOfNothing}},
		{"oci://ghcr.io/a:1", Reference{Scheme: "oci://", Registry: "ghcr.io", Repository: "a", Tag: "1"}},
		{"ghcr.io/a@" + digestOfNothing, Reference{Registry: "ghcr.io", Repository: "a", Digest: digestOfNothing}},
		{"localhost/a", Reference{Registry: "localhost", Repository: "a"}},
		{"localhost:5000/a:1", Reference{Registry: "localhost:5000", Repository: "a", Tag: "1"}},
		{"registry:5000/a", Reference{Registry: "registry:5000", Repository: "a"}},
		{"127.0.0.1:65535/a", Reference{Registry: "127.0.0.1:65535", Repository: "a"}},
		{"[::1]/a", Reference{Registry: "[::1]", Repository: "a"}},
		{"[::]:1/a", Reference{Registry: "[::]:1", Repository: "a"}},
		{"[2001:DB8::1]:443/a:1", Reference{Registry: "[2001:DB8::1]:443", Repository: "a", Tag: "1"}},
		{"[::ffff:192.0.2.1]:443/a", Reference{Registry: "[::ffff:192.0.2.1]:443", Repository: "a"}},
		{"GHCR.io/a", Reference{Registry: "GHCR.io", Repository: "a"}},
		{"xn--bcher-kva.example/a", Reference{Registry: "xn--bcher-kva.example", Repository: "a"}},
		{label63 + ".example/a", Reference{Registry: label63 + ".example", Repository: "a"}},
		{"reg.example/0/a.b/a_b/a__b/a-b/a---b", Reference{Registry: "reg.example", Repository: "0/a.b/a_b/a__b/a-b/a---b"}},
		{"reg.example/a:V1._-", Reference{Registry: "reg.example", Repository: "a", Tag: "V1._-"}},
		{"reg.example/a:_", Reference{Registry: "reg.example", Repository: "a", Tag: "_"}},
		{"reg.example/a:" + tag128, Reference{Registry: "reg.example", Repository: "a", Tag: tag128}},
		{"reg.example/" + longest, Reference{Registry: "reg.example", Repository: longest}},
	} {
		got, err := Parse(test.s)
		if err != nil || got != test.want {
			t.Errorf("Parse(%q)\n got: %+v, %v\nwant: %+v", test.s, got, err, test.want)
		}
		if got, want := got.String(), strings.TrimPrefix(test.s, "oci://"); got != want {
			t.Errorf("Parse(%q).String() = %q, want %q", test.s, got, want)
		}
		if got.Text() != test.s {
			t.Errorf("Parse(%q).Text() = %q", test.s, got.Text())
		}
		if got, want := test.want.Name(), test.want.Registry+"/"+test.want.Repository; got != want {
			t.Errorf("Name() = %q, want %q", got, want)
		}
	}
}

func TestOfRepository(t *testing.T) {
	ref, err := Parse("oci://reg.example/a/b:1@" + digestOfNothing)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ref.WithTag("2").Text(), "reg.example/a/b:2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := ref.WithDigest(digestOfNothing).Text(), "reg.example/a/b@"+digestOfNothing; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

const noHost = "no registry host: write host/repository, like ghcr.io/owner/name"

// TestFault54_BadReferences covers what must be refused before any request.
func TestFault54_BadReferences(t *testing.T) {
	var (
		hex     = strings.TrimPrefix(digestOfNothing, "sha256:")
		name256 = strings.Repeat("a", 256-len("reg.example/"))
		tag129  = strings.Repeat("t", 129)
		label64 = strings.Repeat("l", 64)
		part    = " is not lower-case letters and digits joined by '.', '_', '__' or '-'"
		tag     = " is not letters, digits, '_', '.' and '-'"
		scheme  = " is not accepted: write host/repository, or oci://host/repository"
	)
	for _, test := range []struct{ s, reason string }{
		// The host.
		{"", noHost},
		{"/", noHost},
		{"/a", noHost},
		{"x:1", noHost},
		{"x/y:1", noHost},
		{"ghcr.io", noHost},
		{"ghcr.io:443", noHost},
		{"reg/../../x:1", noHost},
		{"reg//x:1", noHost},
		{"[abc]/a", noHost},
		{"oci://", noHost},
		{"oci:///a", noHost},
		{"http://ghcr.io/a", `scheme "http"` + scheme},
		{"https://ghcr.io/a", `scheme "https"` + scheme},
		{"OCI://ghcr.io/a", `scheme "OCI"` + scheme},
		{"oci://oci://ghcr.io/a", `scheme "oci"` + scheme},
		{"oci://http://ghcr.io/a", `scheme "http"` + scheme},
		{"://ghcr.io/a", `scheme ""` + scheme},
		{"./a", `"." is not a registry host`},
		{"../a", `".." is not a registry host`},
		{"a..b/c", `"a..b" is not a registry host`},
		{"ghcr.io./a", `"ghcr.io." is not a registry host`},
		{".ghcr.io/a", `".ghcr.io" is not a registry host`},
		{"-a.example/a", `"-a.example" is not a registry host`},
		{"a-.example/a", `"a-.example" is not a registry host`},
		{"a_b.example/a", `"a_b.example" is not a registry host`},
		{"gh cr.io/a", `"gh cr.io" is not a registry host`},
		{" ghcr.io/a", `" ghcr.io" is not a registry host`},
		{"ghcr.io\n/a", `"ghcr.io\n" is not a registry host`},
		{"ghcr.io\x00/a", `"ghcr.io\x00" is not a registry host`},
		{"gh\xff.io/a", `"gh\xff.io" is not a registry host`},
		{"user%40ghcr.io/a", `"user%40ghcr.io" is not a registry host`},
		{"ghсr.io/a", `"ghсr.io" is not a registry host`}, // a Cyrillic es
		{"ghcr\u3002io:1/a", `"ghcr。io:1" is not a registry host`},
		{label64 + ".example/a", `"` + label64 + `.example" is not a registry host`},
		{":5000/a", `":5000" is not a registry host`},
		{"ghcr.io:/a", `"ghcr.io:" does not end in a port number`},
		{"ghcr.io:0/a", `"ghcr.io:0" does not end in a port number`},
		{"ghcr.io:65536/a", `"ghcr.io:65536" does not end in a port number`},
		{"ghcr.io:-1/a", `"ghcr.io:-1" does not end in a port number`},
		{"ghcr.io:+1/a", `"ghcr.io:+1" does not end in a port number`},
		{"ghcr.io:0x50/a", `"ghcr.io:0x50" does not end in a port number`},
		{"ghcr.io:1_0/a", `"ghcr.io:1_0" does not end in a port number`},
		{"ghcr.io:http/a", `"ghcr.io:http" does not end in a port number`},
		{"ghcr.io:1:2/a", `"ghcr.io:1:2" does not end in a port number`},
		{"::1/a", `"::1" is not a registry host`},
		{"[::1/a", `"[::1" is not a registry host`},
		{"[:]/a", `"[:]" is not a registry host`},
		{"[]:1/a", `"[]:1" is not a registry host`},
		{"[::1]5000/a", `"[::1]5000" is not a registry host`},
		{"[::1]:/a", `"[::1]:" does not end in a port number`},
		{"[fe80::1%eth0]:1/a", `"[fe80::1%eth0]:1" is not a registry host`},
		{"[fe80::g]/a", `"[fe80::g]" is not a registry host`},
		{"[abc]:80/a", `"[abc]:80" is not a registry host`},
		{"[192.0.2.1]/a", `"[192.0.2.1]" is not a registry host`},
		{"[:::::]/a", `"[:::::]" is not a registry host`},
		{"[....]/a", `"[....]" is not a registry host`},
		{"[1:2:3:4:5:6:7:8:9]/a", `"[1:2:3:4:5:6:7:8:9]" is not a registry host`},

		// The repository.
		{"reg.example/", "no repository after the registry host"},
		{"reg.example/:1", "no repository after the registry host"},
		{"reg.example/@" + digestOfNothing, "no repository after the registry host"},
		{"reg.example//x:1", `repository "/x" has an empty path part`},
		{"reg.example/x/", `repository "x/" has an empty path part`},
		{"reg.example/x//y", `repository "x//y" has an empty path part`},
		{"reg.example/../../x:1", `repository "../../x": path part ".."` + part},
		{"reg.example/a/../b", `repository "a/../b": path part ".."` + part},
		{"reg.example/.", `repository ".": path part "."` + part},
		{"reg.example/A", `repository "A": path part "A"` + part},
		{"reg.example/a.", `repository "a.": path part "a."` + part},
		{"reg.example/-a", `repository "-a": path part "-a"` + part},
		{"reg.example/a..b", `repository "a..b": path part "a..b"` + part},
		{"reg.example/a___b", `repository "a___b": path part "a___b"` + part},
		{"reg.example/a._b", `repository "a._b": path part "a._b"` + part},
		{"reg.example/a-_b", `repository "a-_b": path part "a-_b"` + part},
		{"reg.example/a b", `repository "a b": path part "a b"` + part},
		{"reg.example/a\\b", `repository "a\\b": path part "a\\b"` + part},
		{"reg.example/a%2fb", `repository "a%2fb": path part "a%2fb"` + part},
		{"reg.example/a?b", `repository "a?b": path part "a?b"` + part},
		{"reg.example/a#b", `repository "a#b": path part "a#b"` + part},
		{"reg.example/a\u202eb", `repository "a\u202eb": path part "a\u202eb"` + part},
		{"reg.example/\u0430", `repository "а": path part "а"` + part},                  // Cyrillic
		{"reg.example/e\u0301", "repository \"e\u0301\": path part \"e\u0301\"" + part}, // NFD
		{"reg.example/ﬁ", `repository "ﬁ": path part "ﬁ"` + part},                       // NFKC would be "fi"
		{"reg.example/" + name256, "host and repository are longer than 255 characters"},

		// The tag.
		{"reg.example/a:", "the tag after ':' is empty"},
		{"reg.example/a:@" + digestOfNothing, "the tag after ':' is empty"},
		{"reg.example/a:" + tag129, "the tag is longer than 128 characters"},
		{"reg.example/a:.", `tag "."` + tag},
		{"reg.example/a:-1", `tag "-1"` + tag},
		{"reg.example/a:1:2", `tag "1:2"` + tag},
		{"reg.example/a:1/b", `tag "1/b"` + tag},
		{"reg.example/a:1+2", `tag "1+2"` + tag},
		{"reg.example/a:../../x", `tag "../../x"` + tag},
		{"reg.example/a:1\n", `tag "1\n"` + tag},
		{"reg.example/a:1 ", `tag "1 "` + tag},
		{"reg.example/a:１", `tag "１"` + tag}, // a full-width digit

		// The digest.
		{"reg.example/a@", `digest "" does not start with "sha256:"`},
		{"reg.example/a@latest", `digest "latest" does not start with "sha256:"`},
		{"reg.example/a@sha512:" + hex + hex, `digest algorithm "sha512" is not supported: only sha256`},
		{"reg.example/a@sha256:" + hex[1:], `digest "sha256:` + hex[1:] + `" has 63 characters after "sha256:", not 64`},
		{"reg.example/a@sha256:" + strings.ToUpper(hex), `digest "sha256:` + strings.ToUpper(hex) + `" is not lower-case hexadecimal`},
		{"reg.example/a@" + digestOfNothing + ":1", `digest "` + digestOfNothing + `:1" has 66 characters after "sha256:", not 64`},
		{"reg.example/a@" + digestOfNothing + "@" + digestOfNothing, `digest "` + digestOfNothing + "@" + digestOfNothing + `" has 136 characters after "sha256:", not 64`},
		{"@" + digestOfNothing, noHost},
	} {
		got, err := Parse(test.s)
		if want := fmt.Sprintf("invalid reference %+q: %s", test.s, test.reason); message(err) != want {
			t.Errorf("Parse(%+q)\n got: %v\nwant: %s", test.s, err, want)
			continue
		}
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Reference != test.s {
			t.Errorf("Parse(%+q): error %#v is not the *SyntaxError of its argument", test.s, err)
		}
		if got != (Reference{}) {
			t.Errorf("Parse(%+q) returns %+v beside its error", test.s, got)
		}
	}
}

// TestFault10_ReferenceWithPassword sees that what may be a password is not repeated.
func TestFault10_ReferenceWithPassword(t *testing.T) {
	for _, test := range []struct{ s, reference string }{
		{"user@reg.example/a", "***@reg.example/a"},
		{"user:secret@reg.example/a", "***@reg.example/a"},
		{"oci://user:secret@reg.example:443/a:1", "***@reg.example:443/a:1"},
		{"https://user:secret@reg.example/a@" + digestOfNothing, "***@reg.example/a@" + digestOfNothing},
		{"user:sec@ret@reg.example/a", "***@reg.example/a"},
		{"user:sec/ret@reg.example/a", "***@reg.example/a"},
		{"user:sec/r@et@reg.example/a@" + digestOfNothing, "***@reg.example/a@" + digestOfNothing},
	} {
		got, err := Parse(test.s)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Reference != test.reference || got != (Reference{}) {
			t.Errorf("Parse(%q) = %+v, %#v, want *SyntaxError of %q", test.s, got, err, test.reference)
		}
		if want := fmt.Sprintf("invalid reference %+q: a reference holds no user and password", test.reference); message(err) != want {
			t.Errorf("Parse(%q)\n got: %v\nwant: %s", test.s, err, want)
		}
	}
}

func TestParseHost(t *testing.T) {
	for _, test := range []struct{ s, want string }{
		{"localhost", ""},
		{"registry", ""},
		{"localhost:5000", ""},
		{"[::1]:5000", ""},
		{"", "registry host is empty"},
		{"ghcr.io/a", `"ghcr.io/a" is not a registry host`},
		{"http://localhost:5000", `"http://localhost:5000" is not a registry host`},
		{"*.example", `"*.example" is not a registry host`},
		{"user:pw@localhost:5000", "a registry host holds no user and password"},
	} {
		if got := message(ParseHost(test.s)); got != test.want {
			t.Errorf("ParseHost(%q) = %s, want %s", test.s, got, test.want)
		}
	}
}

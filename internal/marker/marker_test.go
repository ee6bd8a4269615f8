package marker_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
)

var (
	digestA = ociref.Digest("sha256:" + strings.Repeat("a", 64))
	digestB = ociref.Digest("sha256:" + strings.Repeat("b", 64))
	digestC = ociref.Digest("sha256:" + strings.Repeat("c", 64))
)

func slack() marker.Marker {
	return marker.Marker{
		Package: "example.com/app/internal/packs", Name: "messaging-slack",
		Ref:            "ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.38@" + string(digestA),
		ManifestDigest: digestA, LayerDigest: digestB, Size: 1279746,
		MediaType: "application/vnd.greentic.gtpack.v1+zip",
		Sample:    marker.Sample{Head: "PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00\x12\x34", Part: digestC},
	}
}

// framed returns the marker with that text. Tests have no marker as a constant: the program
// of the tests is itself one that must have none.
func framed(text string) string { return string([]byte{2}) + text + string([]byte{3}) }

var slackText = "greentic-pack v1 in=example.com/app/internal/packs name=messaging-slack" +
	" ref=ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.38@" + string(digestA) +
	" manifest=" + string(digestA) + " layer=" + string(digestB) + " size=1279746" +
	" media=application/vnd.greentic.gtpack.v1+zip head=504b0304140000000800000000001234 part=" + digestC.Hex()

func TestFormat(t *testing.T) {
	file := marker.Marker{
		Name: "tools", Ref: "file:../my tools/50%/\u00e4.gtpack", LayerDigest: digestB, Size: 3,
		Sample: marker.Sample{Head: "\x00-\xff", Part: digestB},
	}
	empty := marker.Marker{Package: "-", Name: "none", Ref: "file:a", LayerDigest: digestB, Sample: marker.Sample{Part: digestB}}
	for _, test := range []struct {
		m    marker.Marker
		want string
	}{
		{slack(), slackText},
		{file, "greentic-pack v1 in=- name=tools ref=file:../my%20tools/50%25/%C3%A4.gtpack manifest=- layer=" + string(digestB) +
			" size=3 media=- head=002dff part=" + digestB.Hex()},
		{empty, "greentic-pack v1 in=%2D name=none ref=file:a manifest=- layer=" + string(digestB) + " size=0 media=- head=- part=" + digestB.Hex()},
	} {
		got := marker.Format(test.m)
		if want := framed(test.want); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if !strings.HasPrefix(got, string(marker.Start())) {
			t.Errorf("%q does not begin with %q", got, marker.Start())
		}
		if m, err := marker.Parse(got); err != nil || m != test.m {
			t.Errorf("Parse: %+v, %v\nwant %+v", m, err, test.m)
		}
	}
}

// Whatever a value holds, the marker is one line of printable ASCII, and no value ends it. Parse
// believes only values that are safe to print.
func TestFormatHostile(t *testing.T) {
	for value, want := range map[string]string{
		"a b": "", "a name=b": "", "%41": "", "%": "", "\u00e4\u4e16": "",
		"\x03":                 `the marker's field "in": "\x03" is not printable`,
		"\x02greentic-pack v1": `the marker's field "in": "\x02greentic-pack v1" is not printable`,
		"a\n\r\x00":            `the marker's field "in": "a\n\r\x00" is not printable`,
		"\x1b[2J":              `the marker's field "in": "\x1b[2J" is not printable`,
		"\xff":                 `the marker's field "in": "\xff" is not printable`,
		"a\u202e":              `the marker's field "in": "a\u202e" is not printable`,
		"\u00a0":               `the marker's field "in": "\u00a0" is not printable`,
	} {
		m := slack()
		m.Package, m.Ref, m.MediaType = value, value, value
		text := marker.Format(m)
		for _, c := range text[1 : len(text)-1] {
			if c < ' ' || c > '~' {
				t.Errorf("%q is not printable ASCII", text)
			}
		}
		got, err := marker.Parse(text)
		if want == "" {
			if err != nil || got != m {
				t.Errorf("%q: %+v, %v", value, got, err)
			}
		} else if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", value, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const badName = "must start with a-z and hold only a-z, 0-9, '_' and '-', 64 characters at most"
	replace := func(old, new string) string {
		if !strings.Contains(slackText, old) {
			t.Fatalf("no %q", old)
		}
		return framed(strings.Replace(slackText, old, new, 1))
	}
	for _, test := range []struct{ text, want string }{
		{"", "this is no marker"},
		{slackText, "this is no marker"},
		{string(marker.Start()), "this is no marker"},
		{framed(slackText) + "\n", "this is no marker"},
		{replace(" v1", ""), `the marker has the version "in=example.com/app/internal/packs", and this packvendor knows v1`},
		{replace(" v1 ", " v1\n"), "this is no marker"},
		{framed(slackText + strings.Repeat(" ", marker.MaxSize)), "this is no marker"},
		{replace(" v1", " v2"), `the marker has the version "v2", and this packvendor knows v1`},
		{replace(" v1 ", " v1  "), `the marker's field "in": found ""`},
		{framed("greentic-pack v1"), "the marker has 0 fields instead of 9"},
		{replace(" name=messaging-slack", ""), "the marker has 8 fields instead of 9"},
		{replace(" name=messaging-slack", " title=x"), `the marker's field "name": found "title=x"`},
		{replace("messaging-slack", "-"), `the marker's field "name": it has no value`},
		{replace("messaging-slack", ""), `the marker's field "name": "" is not escaped as packvendor does it`},
		{replace("messaging-slack", "%61"), `the marker's field "name": "%61" is not escaped as packvendor does it`},
		{replace("messaging-slack", "%c3%a4"), `the marker's field "name": "%c3%a4" is not escaped as packvendor does it`},
		{replace("messaging-slack", "Slack"), `the marker's field "name": "Slack" ` + badName},
		{replace("messaging-slack", "a%0Ab"), `the marker's field "name": "a\nb" is not printable`},
		{replace("messaging-slack", "a%20b"), `the marker's field "name": "a b" ` + badName},
		{replace("messaging-slack", "con"), `the marker's field "name": "con" is reserved on Windows`},
		{replace("ref=ghcr.io", "ref=%FF"), `the marker's field "ref": "\xff/greenticai/greentic-packs/messaging-slack:0.4.38@` + string(digestA) + `" is not printable`},
		{replace("media=application", "media=%1B"), `the marker's field "media": "\x1b/vnd.greentic.gtpack.v1+zip" is not printable`},
		{replace("messaging-slack", "%x"), `the marker's field "name": invalid URL escape "%x"`},
		{replace("manifest=sha256:a", "manifest=sha256:A"), `the marker's field "manifest": digest "sha256:A` + strings.Repeat("a", 63) + `" is not lower-case hexadecimal`},
		{replace("layer="+string(digestB), "layer=-"), `the marker's field "layer": it has no value`},
		{replace("layer="+string(digestB), "layer=md5:x"), `the marker's field "layer": digest algorithm "md5" is not supported: only sha256`},
		{replace("size=1279746", "size=01"), `the marker's field "size": "01" is not a size in bytes`},
		{replace("size=1279746", "size=-1"), `the marker's field "size": "-1" is not a size in bytes`},
		{replace("size=1279746", "size=9223372036854775808"), `the marker's field "size": "9223372036854775808" is not a size in bytes`},
		{replace("size=1279746", "size=3"), `the marker's field "head": it has 16 bytes instead of 3`},
		{replace("head=504b", "head=504B"), `the marker's field "head": "504B0304140000000800000000001234" is not lower-case hexadecimal`},
		{replace("head=504b", "head="), `the marker's field "head": it has 14 bytes instead of 16`},
		{replace("part=c", "part="), `the marker's field "part": digest "sha256:` + strings.Repeat("c", 63) + `" has 63 characters after "sha256:", not 64`},
	} {
		m, err := marker.Parse(test.text)
		if err == nil || err.Error() != test.want || m != (marker.Marker{}) {
			t.Errorf("%.200q\ngot  %v, %+v\nwant %s", test.text, err, m, test.want)
		}
	}
	var version *marker.VersionError
	if _, err := marker.Parse(replace(" v1", " v12")); !errors.As(err, &version) || version.Version != "v12" {
		t.Errorf("got %v, %+v", err, version)
	}
}

// Later releases may add fields.
func TestParseMoreFields(t *testing.T) {
	if m, err := marker.Parse(framed(slackText + " signer=x y")); err != nil || m != slack() {
		t.Errorf("got %+v, %v", m, err)
	}
}

// A registry may be called file: its packs have a manifest.
func TestFile(t *testing.T) {
	of := func(ref string, manifest ociref.Digest) marker.Marker {
		return marker.Marker{Ref: ref, ManifestDigest: manifest}
	}
	for _, test := range []struct {
		m    marker.Marker
		path string
		ok   bool
	}{
		{of(marker.FileRef("../my tools/a.gtpack"), ""), "../my tools/a.gtpack", true},
		{of("file:5000/a:1", digestA), "", false},
		{of("ghcr.io/a/b:1", digestA), "", false},
		{of("ghcr.io/a/b:1", ""), "", false},
	} {
		if path, ok := test.m.File(); path != test.path || ok != test.ok {
			t.Errorf("%s: %q, %v", test.m.Ref, path, ok)
		}
	}
}

func TestSample(t *testing.T) {
	long := strings.Repeat("0123456789abcdefgh", 10_000)
	for _, test := range []struct{ first, head, part string }{
		{"", "", ""},
		{"abc", "abc", "abc"},
		{long, "0123456789abcdef", long[:64<<10]},
	} {
		want := marker.Sample{Head: test.head, Part: ociref.DigestOf([]byte(test.part))}
		if got := marker.SampleOf([]byte(test.first)); got != want {
			t.Errorf("of %d bytes: %q", len(test.first), got)
		}
	}
}

// A program that writes and reads markers, as this one does, has none.
func TestNoMarkerHere(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	err = marker.Scan(program, func(at int64, text string) error {
		t.Errorf("at %d: %q", at, text)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

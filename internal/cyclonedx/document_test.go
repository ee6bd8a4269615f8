package cyclonedx_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/cyclonedx"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest/bomschema"
	"github.com/greenticai/packvendor/internal/printable"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func digest(pair string) ociref.Digest { return ociref.Digest("sha256:" + strings.Repeat(pair, 32)) }

// hostile is a name that a terminal, a browser and a CI system would obey.
const hostile = "a\"b\\\n\x1b[2J\u202e</script>&##vso[x]\xff"

// packs are packs of all kinds.
func packs() []cyclonedx.Component {
	slack := ociref.Reference{Registry: "ghcr.io", Repository: "greentic/slack"}
	var components []cyclonedx.Component
	for _, pack := range []cyclonedx.Pack{
		{
			Name: "slack", Reference: slack, Tag: "0.4.38", ManifestDigest: digest("1a"), LayerDigest: digest("2b"), Size: 1234, Signer: "ed25519:abc",
			Contents: []gtpack.Component{{ID: "slack.send", Version: "1.0.0", Path: "components/slack.send.wasm", Size: 99}, {ID: "remote"}, {ID: "remote"}, {ID: hostile, Version: "##[y]"}},
		},
		{Name: "again", Reference: slack, ManifestDigest: digest("1a"), LayerDigest: digest("2b"), Size: 1234, Unread: true},
		{Name: "local", Path: "../local.gtpack", LayerDigest: digest("3c"), Size: 5},
	} {
		components = append(components, pack.Component())
	}
	return components
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, name); string(got) != string(want) {
		t.Errorf("%s differs; got\n%s", name, got)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func validate(t *testing.T, text []byte) {
	t.Helper()
	if err := bomschema.Validate(text); err != nil {
		t.Error(err)
	}
}

func TestNew(t *testing.T) {
	for name, main := range map[string]*cyclonedx.Component{
		"packs.golden":  cyclonedx.Owner("example.com/app/internal/packs"),
		"nobody.golden": nil,
	} {
		text := cyclonedx.New(main, packs()).Text()
		golden(t, name, text)
		validate(t, text)
		if strings.ContainsFunc(string(text), func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) || printable.JSON(string(text)) != string(text) {
			t.Errorf("%s: a terminal or a CI system may obey\n%s", name, text)
		}
	}
}

func TestNewEmpty(t *testing.T) {
	text := cyclonedx.New(nil, nil).Text()
	validate(t, text)
	if !strings.Contains(string(text), `"components": []`) {
		t.Errorf("no list of components:\n%s", text)
	}
}

// One pack more than once is one component.
func TestNewTwice(t *testing.T) {
	main := cyclonedx.Owner("example.com/app")
	once, twice := cyclonedx.New(main, packs()).Text(), cyclonedx.New(main, append(packs(), packs()...)).Text()
	if string(once) != string(twice) {
		t.Errorf("got\n%s\nwant\n%s", twice, once)
	}
}

// What has the packs is another component than any of them, whatever its name.
func TestMainRef(t *testing.T) {
	pack := packs()[0]
	main := cyclonedx.Program(strings.TrimPrefix(pack.Ref, "packvendor:"), "")
	text := cyclonedx.New(main, packs()).Text()
	validate(t, text)
	if owner := cyclonedx.Owner(main.Name); main.Ref != "packvendor-main:"+main.Name || owner.Ref != main.Ref {
		t.Errorf("%s and %s", main.Ref, owner.Ref)
	}
	if n := strings.Count(string(text), `"ref": "`+pack.Ref+`"`); n != 1 {
		t.Errorf("%d dependencies of %s:\n%s", n, pack.Ref, text)
	}
}

// Of packs with one name and the same bytes the first is the component.
func TestDistinct(t *testing.T) {
	all := packs()
	other := all[0]
	other.PURL = "pkg:oci/other"
	got := cyclonedx.Distinct(append(all, other, all[1]))
	if len(got) != 3 || got[0].PURL != all[0].PURL {
		t.Errorf("%d components, the first is %s", len(got), got[0].PURL)
	}
	if text := cyclonedx.New(nil, []cyclonedx.Component{other, all[0]}).Text(); strings.Count(string(text), `"purl"`) != 1 || !strings.Contains(string(text), other.PURL) {
		t.Errorf("got\n%s", text)
	}
}

// The serial number follows from all else, and is a UUID of version 8.
func TestSerialNumber(t *testing.T) {
	seen := map[string]string{}
	for name, doc := range map[string]*cyclonedx.Document{
		"packs":   cyclonedx.New(cyclonedx.Owner("a"), packs()),
		"fewer":   cyclonedx.New(cyclonedx.Owner("a"), packs()[:1]),
		"another": cyclonedx.New(cyclonedx.Owner("b"), packs()),
		"nobody":  cyclonedx.New(nil, packs()),
	} {
		if other := seen[doc.SerialNumber]; other != "" {
			t.Errorf("%s and %s have one serial number", name, other)
		}
		seen[doc.SerialNumber] = name
		if uuid := strings.TrimPrefix(doc.SerialNumber, "urn:uuid:"); len(uuid) != 36 || uuid[14] != '8' || !strings.ContainsRune("89ab", rune(uuid[19])) {
			t.Errorf("%s is no UUID of version 8", doc.SerialNumber)
		}
	}
}

// Names come back as the pack has them.
func TestNames(t *testing.T) {
	var doc cyclonedx.Document
	if err := json.Unmarshal(cyclonedx.New(nil, packs()).Text(), &doc); err != nil {
		t.Fatal(err)
	}
	if got, want := doc.Components[0].Components[2].Name, strings.ReplaceAll(hostile, "\xff", "\ufffd"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package tagpolicy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// pinned is a pack that is pinned to a tag.
func pinned(tag string) packsfile.Pack {
	return packsfile.Pack{Name: "a", Reference: ociref.Reference{Registry: "r.io", Repository: "a", Tag: tag, Digest: ociref.DigestOf(nil)}}
}

func listed(tags ...string) func() ([]string, error) {
	return func() ([]string, error) { return tags, nil }
}

// A pin to a version tag moves to the newest compatible version, or to the newest.
func TestChooseVersion(t *testing.T) {
	for _, test := range []struct {
		name, pin, tags, want, latest string // "" is the pin
	}{
		{"nothing else", "1.2.3", "1.2.3", "", ""},
		{"newer patch", "1.2.3", "1.2.3 1.2.4 1.2.2", "1.2.4", "1.2.4"},
		{"newer minor", "1.2.3", "1.2.3 1.2.4 1.10.0 1.9.0", "1.10.0", "1.10.0"},
		{"newer major", "1.2.3", "1.2.3 2.0.0 10.0.0", "", "10.0.0"},
		{"both", "1.2.3", "1.2.3 1.3.0 2.0.0", "1.3.0", "2.0.0"},
		{"only older", "1.2.3", "1.2.3 1.2.2 0.9.9 1.0.0", "", ""},
		{"only older, and the pin is gone", "1.2.3", "1.2.2 0.9.9 1.0.0", "", ""},
		{"below 1.0, newer patch", "0.4.37", "0.4.37 0.4.38 0.5.0", "0.4.38", "0.5.0"},
		{"below 1.0, newer minor alone", "0.4.37", "0.4.37 0.5.0 1.0.0", "", "1.0.0"},
		{"below 0.1", "0.0.3", "0.0.3 0.0.4", "0.0.4", "0.0.4"},
		{"v to none", "v1.2.3", "v1.2.3 1.2.4", "1.2.4", "1.2.4"},
		{"none to v", "1.2.3", "1.2.3 v1.2.4", "v1.2.4", "v1.2.4"},
		{"v and none", "1.2.3", "1.2.3 v1.2.4 1.2.4", "1.2.4", "1.2.4"},
		{"equal version with v", "1.2.3", "1.2.3 v1.2.3", "", ""},
		{"equal version without v", "v1.2.3", "v1.2.3 1.2.3", "", ""},
		{"pre-release of a newer version", "1.2.3", "1.2.3 1.3.0-rc.1 2.0.0-rc.1", "", ""},
		{"pre-release and release", "1.2.3", "1.2.3 1.3.0-rc.1 1.2.4", "1.2.4", "1.2.4"},
		{"from one pre-release to the next", "1.3.0-rc.1", "1.3.0-rc.1 1.3.0-rc.2 1.3.0-alpha", "1.3.0-rc.2", "1.3.0-rc.2"},
		{"from a pre-release to its release", "1.3.0-rc.1", "1.3.0-rc.1 1.3.0 1.3.0-rc.2", "1.3.0", "1.3.0"},
		{"from a pre-release to a later one", "1.3.0-rc.1", "1.3.0-rc.1 1.3.0 1.4.0-rc.1", "1.4.0-rc.1", "1.4.0-rc.1"},
		{"from a pre-release below 1.0", "0.4.0-rc.1", "0.4.0-rc.1 0.4.0 0.5.0-rc.1", "0.4.0", "0.5.0-rc.1"},
		{"no versions", "1.2.3", "1.2.3 latest 1.3 1 v2 01.3.0 1.3.0.0 1.3.0-01 2026-11-25 sha256-aa.sig V1.3.0", "", ""},
	} {
		for latest, want := range map[bool]string{false: test.want, true: test.latest} {
			if want == "" {
				want = test.pin
			}
			got, err := tagpolicy.Choose(pinned(test.pin), "", latest, listed(strings.Fields(test.tags)...))
			if got != want || err != nil {
				t.Errorf("%s, latest %t: %q, %v, want %q", test.name, latest, got, err, want)
			}
		}
	}
}

// Tags are listed only where they decide.
func TestChooseWithoutTags(t *testing.T) {
	list := func() ([]string, error) { return nil, errors.New("listed") }
	tagged := func(tag string) packsfile.Pack { p := pinned(tag); p.Reference.Digest = ""; return p }
	for _, test := range []struct {
		name         string
		pack         packsfile.Pack
		wanted, want string
	}{
		{"a tag that is no version", pinned("stable"), "", "stable"},
		{"a digest alone", pinned(""), "", ""},
		{"a bare tag", tagged("1.0.0"), "", "1.0.0"},
		{"a wanted tag", pinned("1.0.0"), "0.9.0", "0.9.0"},
	} {
		if got, err := tagpolicy.Choose(test.pack, test.wanted, false, list); got != test.want || err != nil {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
	}
	if _, err := tagpolicy.Choose(pinned("1.0.0"), "", false, list); err == nil || err.Error() != "listed" {
		t.Errorf("a version: %v", err)
	}
}

func TestChooseInRange(t *testing.T) {
	pack := pinned("")
	pack.Reference.Digest = ""
	pack.Version = "^1.2"
	var err error
	if pack.Range, err = versions.ParseRange(pack.Version); err != nil {
		t.Fatal(err)
	}
	if got, err := tagpolicy.Choose(pack, "", false, listed("1.2.0", "1.10.0", "2.0.0", "1.11.0-rc.1")); got != "1.10.0" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	var none *tagpolicy.NoVersionError
	if _, err := tagpolicy.Choose(pack, "", false, listed("1.1.0", "2.0.0")); !errors.As(err, &none) || none.Newest != "2.0.0" || none.Range != "^1.2" {
		t.Errorf("%v", err)
	}
	var rng *tagpolicy.RangeError
	if _, err := tagpolicy.Choose(pack, "1.3.0", false, nil); !errors.As(err, &rng) || rng.Tag != "1.3.0" {
		t.Errorf("%v", err)
	}
}

func TestNewerThan(t *testing.T) {
	for _, test := range []struct{ tag, tags, want string }{
		{"1.0.0", "1.0.0 2.0.0 3.0.0-rc.1", "2.0.0"},
		{"1.0.0-rc.1", "2.0.0 3.0.0-rc.1", "3.0.0-rc.1"},
		{"2.0.0", "1.0.0 2.0.0", ""},
		{"stable", "1.0.0", "1.0.0"},
		{"1.0.0", "stable", ""},
	} {
		if got := tagpolicy.NewerThan(test.tag, strings.Fields(test.tags)); got != test.want {
			t.Errorf("%s among %s: %q, want %q", test.tag, test.tags, got, test.want)
		}
	}
}

func TestNear(t *testing.T) {
	for _, test := range []struct{ tag, tags, want string }{
		{"1.0.1", "0.9.0 1.0.0 1.1.0 sha256-aa.sig latest", "1.1.0 1.0.0 0.9.0"},
		{"lastest", "1.0.0 sha256-aa.sig latest", "latest 1.0.0 sha256-aa.sig"},
	} {
		if got := tagpolicy.Near(test.tag, strings.Fields(test.tags)); !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("near %s: %q, want %q", test.tag, got, test.want)
		}
	}
}

package difference

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// digestOf is a digest of which all characters are c.
func digestOf(c string) ociref.Digest { return ociref.Digest("sha256:" + strings.Repeat(c, 64)) }

// lockedAs is a pack a, locked as a reference, with digests of manifest and layer.
func lockedAs(ref, manifest, layer string) lockfile.Entry {
	return lockfile.Entry{Name: "a", Ref: ref, ManifestDigest: digestOf(manifest), LayerDigest: digestOf(layer), Size: 1000}
}

func changed(before, after lockfile.Entry) vendorer.PackChange {
	return vendorer.PackChange{EntryChange: lockfile.EntryChange{Name: "a", Kind: lockfile.Changed, Old: before, New: after}}
}

func TestFileLine(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, test := range []struct {
		change gtpack.FileChange
		want   string
	}{
		{gtpack.FileChange{Name: "a", Kind: gtpack.Added, NewSize: 1500}, "+ a, 1.5 kB"},
		{gtpack.FileChange{Name: "a", Kind: gtpack.Removed, OldSize: 1500}, "- a, 1.5 kB"},
		{gtpack.FileChange{Name: "a", Kind: gtpack.Changed, OldSize: 1500, NewSize: 1500}, "~ a, 1.5 kB"},
		{gtpack.FileChange{Name: "a", Kind: gtpack.Changed, OldSize: 1000, NewSize: 1500}, "~ a, 1.0 kB → 1.5 kB (+50.0 %)"},
		{gtpack.FileChange{Name: "a\n\t\x1b\u202e\xff", Kind: gtpack.Added}, `+ a\n\t\x1b\u202e\ufffd, 0 B`},
		{gtpack.FileChange{Name: long, Kind: gtpack.Added}, "+ " + long + ", 0 B"},
		{gtpack.FileChange{Name: long + "y", Kind: gtpack.Added}, "+ " + long + "..., 0 B"},
	} {
		if got := fileLine(test.change); got != test.want {
			t.Errorf("%+v: %q, want %q", test.change, got, test.want)
		}
	}
}

func TestHeadline(t *testing.T) {
	one, two := "@"+string(digestOf("1")), "@"+string(digestOf("3"))
	old := lockedAs("r.io/a:1.0.0"+one, "1", "2")
	ranged := func(version, tag string) lockfile.Entry {
		p := lockedAs("r.io/a", "1", "2")
		p.Version, p.Tag = version, tag
		return p
	}
	layered := old
	layered.Layer = "text/plain"
	for _, test := range []struct {
		name   string
		change vendorer.PackChange
		want   string
	}{
		{"added", vendorer.PackChange{EntryChange: lockfile.EntryChange{Kind: lockfile.Added, New: old}}, "added 1.0.0"},
		{"added without tag", vendorer.PackChange{EntryChange: lockfile.EntryChange{Kind: lockfile.Added, New: lockedAs("r.io/a"+one, "1", "2")}}, "added"},
		{"removed", vendorer.PackChange{EntryChange: lockfile.EntryChange{Kind: lockfile.Removed, Old: old}}, "removed 1.0.0"},
		{"updated", changed(old, lockedAs("r.io/a:1.1.0"+two, "3", "4")), "1.0.0 → 1.1.0"},
		{"the same bytes", changed(old, lockedAs("r.io/a:1.1.0"+two, "3", "2")), "1.0.0 → 1.1.0 (bytes identical)"},
		{"the same manifest", changed(old, lockedAs("r.io/a:1.1.0"+one, "1", "2")), "1.0.0 → 1.1.0 (bytes identical)"},
		{"tag moved", changed(old, lockedAs("r.io/a:1.0.0"+two, "3", "4")), "1.0.0 sha256:111111111111 → sha256:333333333333"},
		{"another layer", changed(old, lockedAs("r.io/a:1.0.0"+one, "1", "4")), "another layer of the same manifest"},
		{"tag dropped", changed(old, lockedAs("r.io/a"+one, "1", "2")), "is pinned differently"},
		{"tag gained", changed(lockedAs("r.io/a"+one, "1", "2"), old), "sha256:111111111111 → 1.0.0 (bytes identical)"},
		{"range", changed(ranged("^1", "1.0.0"), ranged("~1", "1.0.0")), "is pinned differently"},
		{"layer", changed(old, layered), "is pinned differently"},
		{"mirror", changed(old, lockedAs("m.io/a:1.0.0"+one, "1", "2")), "is from another repository"},
	} {
		if got := headline(test.change); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestPinText(t *testing.T) {
	for _, test := range []struct{ ref, version, want string }{
		{"r.io/a:1.0.0@" + string(digestOf("1")), "", "1.0.0@sha256:111111111111"},
		{"r.io/a@" + string(digestOf("1")), "", "sha256:111111111111"},
		{"r.io/a:stable", "", "stable"},
		{"r.io/a", "^1.2", "^1.2"},
		{"?", "", "?"},
	} {
		if got := pinText(lockfile.Entry{Ref: test.ref, Version: test.version}); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.ref, test.version, got, test.want)
		}
	}
}

func TestRow(t *testing.T) {
	show := func(s string) string { return "<" + s + ">" }
	for _, test := range []struct {
		row  row
		want string
	}{
		{row{before: "a", after: "b"}, "<a> → <b>"},
		{row{before: "a", after: "a"}, "<a>"},
		{row{before: "a"}, "<a>"},
		{row{after: "b"}, "<b>"},
	} {
		if got := test.row.text(show); got != test.want {
			t.Errorf("%+v: %q, want %q", test.row, got, test.want)
		}
	}
	if got := nameOf(lockfile.Entry{Ref: "?"}); got != "?" { // and nobody is led astray
		t.Errorf("the repository of ? is %q", got)
	}
}

// A diff of which every pack is of another kind, as a terminal is shown it.
func TestDiffText(t *testing.T) {
	old, now := lockedAs("r.io/a:1.0.0@"+string(digestOf("1")), "1", "2"), lockedAs("m.io/a:1.1.0@"+string(digestOf("3")), "3", "4")
	unread, same := changed(old, now), changed(old, now)
	unread.Unread = "bytes\x1b[2J"
	same.Files = []gtpack.FileChange{}
	d := &vendorer.Difference{Packs: []vendorer.PackChange{unread, same}}
	want := `a 1.0.0 → 1.1.0
  repo      r.io/a → m.io/a
  manifest  sha256:111111111111 → sha256:333333333333
  layer     sha256:222222222222 → sha256:444444444444
  files     not compared: bytes\x1b[2J
a 1.0.0 → 1.1.0
  repo      r.io/a → m.io/a
  manifest  sha256:111111111111 → sha256:333333333333
  layer     sha256:222222222222 → sha256:444444444444
  files     none changed; they are packed differently
`
	if got := Text(d); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	if got := Text(&vendorer.Difference{}); got != "" {
		t.Errorf("nothing is %q", got)
	}
}

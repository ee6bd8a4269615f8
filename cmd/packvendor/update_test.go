package main

import (
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// entryOf is an entry of packs.lock whose digests are of those texts.
func entryOf(ref, tag, manifest, layer string) lockfile.Pack {
	return lockfile.Pack{Name: "a", Ref: ref, Tag: tag, ManifestDigest: ociref.DigestOf([]byte(manifest)), LayerDigest: ociref.DigestOf([]byte(layer))}
}

// What a movement is, by the form of the references and by what changed.
func TestMovementForms(t *testing.T) {
	m1, m2 := phrase.Digest(ociref.DigestOf([]byte("m1"))), phrase.Digest(ociref.DigestOf([]byte("m2")))
	pin := "@" + someDigest
	index := entryOf("r.io/a:1", "1", "m1", "l1")
	index.IndexDigest = ociref.DigestOf([]byte("m2"))
	for _, test := range []struct {
		name        string
		before, now lockfile.Pack
		want        string
	}{
		{"first", lockfile.Pack{}, entryOf("r.io/a:1"+pin, "", "m1", "l1"), "locked 1 " + m1},
		{"first, a digest alone", lockfile.Pack{}, entryOf("r.io/a"+pin, "", "m1", "l1"), "locked " + m1},
		{"first, an index", lockfile.Pack{}, index, "locked 1 " + m2},
		{"first, a range", lockfile.Pack{}, entryOf("r.io/a", "1.0.0", "m1", "l1"), "locked 1.0.0 " + m1},
		{"nothing", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m1", "l1"), "unchanged"},
		{"other words", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("oci://r.io/a:1", "1", "m1", "l1"), "unchanged"},
		{"another tag", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a:2"+pin, "", "m2", "l2"), "1 → 2"},
		{"another tag of a range", entryOf("r.io/a", "1.0.0", "m1", "l1"), entryOf("r.io/a", "1.1.0", "m2", "l2"), "1.0.0 → 1.1.0"},
		{"another tag, the same bytes", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a:2"+pin, "", "m2", "l1"), "1 → 2 (bytes identical)"},
		{"the same tag", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m2", "l2"), "1 " + m1 + " → " + m2},
		{"the same tag and bytes", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m2", "l1"), "manifest changed, bytes identical"},
		{"the same tag, another layer", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m1", "l2"), "another layer of the same manifest"},
		{"another digest", entryOf("r.io/a"+pin, "", "m1", "l1"), entryOf("r.io/a"+pin, "", "m2", "l2"), m1 + " → " + m2},
		{"a tag to a digest", entryOf("r.io/a"+pin, "", "m1", "l1"), entryOf("r.io/a:1"+pin, "", "m1", "l1"), m1 + " → 1 (bytes identical)"},
		{"no tag any more", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a"+pin, "", "m2", "l2"), m1 + " → " + m2},
		{"no tag any more, the same digest", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a"+pin, "", "m1", "l1"), "unchanged"},
	} {
		if got := movement(test.before, test.now); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// The hint of outdated is what helps, and where other packs failed it names those
// that can be helped.
func TestUpdateHint(t *testing.T) {
	now, newer := vendorer.Mark{Tag: "1.0.0"}, vendorer.Mark{Tag: "1.1.0"}
	same := vendorer.Outlook{Name: "same", Now: now, Update: now, Newest: now}
	ranged := vendorer.Outlook{Name: "range", Now: now, Update: now, Newest: newer}
	compatible := vendorer.Outlook{Name: "compatible", Now: now, Update: newer, Newest: newer, IsOutdated: true}
	latest := vendorer.Outlook{Name: "latest", Now: now, Update: now, Newest: newer, IsOutdated: true}
	for _, test := range []struct {
		outlooks []vendorer.Outlook
		failed   bool
		want     string
	}{
		{nil, false, ""},
		{[]vendorer.Outlook{same, ranged}, true, ""},
		{[]vendorer.Outlook{same, latest}, false, "packvendor update --latest"},
		{[]vendorer.Outlook{same, latest, latest}, true, "packvendor update --latest latest latest"},
		{[]vendorer.Outlook{latest, compatible, ranged}, false, "packvendor update"},
		{[]vendorer.Outlook{latest, compatible, ranged}, true, "packvendor update compatible"},
	} {
		c := &cli{say: &printer{hints: hint.Context{File: "packs.toml"}}}
		if got := c.say.hints.Text(c.updateHint(test.outlooks, test.failed)); got != test.want {
			t.Errorf("%v, failed %v: %q, want %q", test.outlooks, test.failed, got, test.want)
		}
	}
}

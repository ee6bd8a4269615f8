package difference

import (
	"strings"
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
)

const someDigest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

// entryOf is an entry of packs.lock whose digests are of those texts.
func entryOf(ref, tag, manifest, layer string) lockfile.Entry {
	return lockfile.Entry{Name: "a", Ref: ref, Tag: tag, ManifestDigest: ociref.DigestOf([]byte(manifest)), LayerDigest: ociref.DigestOf([]byte(layer))}
}

// What a movement is, by the form of the references and by what changed.
func TestMovementForms(t *testing.T) {
	m1, m2 := phrase.Digest(ociref.DigestOf([]byte("m1"))), phrase.Digest(ociref.DigestOf([]byte("m2")))
	pin := "@" + someDigest
	index := entryOf("r.io/a:1", "1", "m1", "l1")
	index.IndexDigest = ociref.DigestOf([]byte("m2"))
	signed := func(signer, evidence string) lockfile.Entry {
		e := entryOf("r.io/a:1", "1", "m1", "l1")
		e.Signer, e.Evidence = signer, ociref.DigestOf([]byte(evidence))
		return e
	}
	file := func(path, layer string) lockfile.Entry {
		return lockfile.Entry{Name: "a", Path: path, LayerDigest: ociref.DigestOf([]byte(layer))}
	}
	beside := file("a.gtpack", "l2")
	beside.Ref = "r.io/a:1" + pin
	l1, l2 := phrase.Digest(ociref.DigestOf([]byte("l1"))), phrase.Digest(ociref.DigestOf([]byte("l2")))
	for _, test := range []struct {
		name        string
		before, now lockfile.Entry
		want        string
	}{
		{"first, a file", lockfile.Entry{}, file("a.gtpack", "l1"), "locked from a file " + l1},
		{"the same file", file("a.gtpack", "l1"), file("a.gtpack", "l1"), "unchanged"},
		{"a file changed", file("a.gtpack", "l1"), file("a.gtpack", "l2"), "from a file " + l1 + " → " + l2},
		{"another file", file("a.gtpack", "l1"), file("b.gtpack", "l1"), "packs.lock entry changed, bytes identical"},
		{"a file beside the reference", entryOf("r.io/a:1"+pin, "", "m1", "l1"), beside, "1 → from a file " + l2},
		{"a file with the same bytes", entryOf("r.io/a@"+pin[1:], "", "m1", "l2"), beside, m1 + " → from a file " + l2 + " (bytes identical)"},
		{"back to the reference", beside, entryOf("r.io/a:1"+pin, "", "m1", "l1"), "from a file " + l2 + " → 1"},
		{"first", lockfile.Entry{}, entryOf("r.io/a:1"+pin, "", "m1", "l1"), "locked 1 " + m1},
		{"first, a digest alone", lockfile.Entry{}, entryOf("r.io/a"+pin, "", "m1", "l1"), "locked " + m1},
		{"first, an index", lockfile.Entry{}, index, "locked 1 " + m2},
		{"first, a range", lockfile.Entry{}, entryOf("r.io/a", "1.0.0", "m1", "l1"), "locked 1.0.0 " + m1},
		{"nothing", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m1", "l1"), "unchanged"},
		{"other words", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("oci://r.io/a:1", "1", "m1", "l1"), "packs.lock entry changed, bytes identical"},
		{"signed", entryOf("r.io/a:1", "1", "m1", "l1"), signed("a", "x"), "signature locked, bytes identical"},
		{"unsigned", signed("a", "x"), entryOf("r.io/a:1", "1", "m1", "l1"), "signature dropped, bytes identical"},
		{"another signer", signed("a", "x"), signed("b", "y"), "signer changed, bytes identical"},
		{"other evidence", signed("a", "x"), signed("a", "y"), "evidence changed, bytes identical"},
		{"another tag", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a:2"+pin, "", "m2", "l2"), "1 → 2"},
		{"another tag of a range", entryOf("r.io/a", "1.0.0", "m1", "l1"), entryOf("r.io/a", "1.1.0", "m2", "l2"), "1.0.0 → 1.1.0"},
		{"another tag, the same bytes", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a:2"+pin, "", "m2", "l1"), "1 → 2 (bytes identical)"},
		{"the same tag", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m2", "l2"), "1 " + m1 + " → " + m2},
		{"the same tag and bytes", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m2", "l1"), "manifest changed, bytes identical"},
		{"the same tag, another layer", entryOf("r.io/a:1", "1", "m1", "l1"), entryOf("r.io/a:1", "1", "m1", "l2"), "another layer of the same manifest"},
		{"another digest", entryOf("r.io/a"+pin, "", "m1", "l1"), entryOf("r.io/a"+pin, "", "m2", "l2"), m1 + " → " + m2},
		{"a tag to a digest", entryOf("r.io/a"+pin, "", "m1", "l1"), entryOf("r.io/a:1"+pin, "", "m1", "l1"), m1 + " → 1 (bytes identical)"},
		{"no tag any more", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a"+pin, "", "m2", "l2"), m1 + " → " + m2},
		{"no tag any more, the same digest", entryOf("r.io/a:1"+pin, "", "m1", "l1"), entryOf("r.io/a"+pin, "", "m1", "l1"), "packs.lock entry changed, bytes identical"},
	} {
		if got := Movement(test.before, test.now); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestMovement(t *testing.T) {
	digest := func(c string) ociref.Digest { return ociref.Digest("sha256:" + strings.Repeat(c, 64)) }
	pack := func(manifest, layer, ref, tag string) lockfile.Entry {
		return lockfile.Entry{Name: "a", Ref: ref, Tag: tag, ManifestDigest: digest(manifest), LayerDigest: digest(layer)}
	}
	old := pack("1", "2", "r.io/a:1@"+string(digest("1")), "")
	for _, test := range []struct {
		before, now lockfile.Entry
		want        string
	}{
		{lockfile.Entry{}, old, "locked 1 sha256:111111111111"},
		{old, old, "unchanged"},
		{old, pack("3", "2", "r.io/a:1@"+string(digest("3")), ""), "manifest changed, bytes identical"},
		{old, pack("3", "4", "r.io/a:1@"+string(digest("3")), ""), "1 sha256:111111111111 → sha256:333333333333"},
		{pack("1", "2", "r.io/a:stable", "stable"), pack("3", "4", "r.io/a:stable", "stable"), "stable sha256:111111111111 → sha256:333333333333"},
		{old, pack("3", "4", "r.io/a:2@"+string(digest("3")), ""), "1 → 2"},
		{old, pack("3", "2", "r.io/a:2@"+string(digest("3")), ""), "1 → 2 (bytes identical)"},
		{pack("1", "2", "r.io/a", "0.4.1"), pack("3", "4", "r.io/a", "0.4.2"), "0.4.1 → 0.4.2"},
		{old, pack("3", "4", "r.io/a@"+string(digest("3")), ""), "sha256:111111111111 → sha256:333333333333"},
	} {
		if got := Movement(test.before, test.now); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

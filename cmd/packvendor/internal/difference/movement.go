package difference

import (
	"cmp"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
)

// Movement says how a pack's entry changed.
func Movement(before, now lockfile.Entry) string {
	tagBefore, tagNow := tagOf(before), tagOf(now)
	same := before.LayerDigest == now.LayerDigest
	switch {
	case before.Name == "":
		return "locked " + withTag(tagNow, now)
	case isTagMoved(before, now) && same:
		return cmp.Or(tagBefore, phrase.Digest(before.Digest())) + " → " + tagNow + " (bytes identical)"
	case isTagMoved(before, now):
		return cmp.Or(tagBefore, phrase.Digest(before.Digest())) + " → " + tagNow
	case before.Digest() == now.Digest() && same:
		return "unchanged"
	case same:
		return "manifest changed, bytes identical"
	case before.Digest() == now.Digest():
		return "another layer of the same manifest"
	}
	return withTag(tagNow, before) + " → " + phrase.Digest(now.Digest())
}

// withTag is a locked pack's digest, after the tag if there is one.
func withTag(tag string, p lockfile.Entry) string {
	return strings.TrimSpace(tag + " " + phrase.Digest(p.Digest()))
}

// isTagMoved reports whether a pack has another tag than before.
func isTagMoved(before, now lockfile.Entry) bool {
	tagBefore, tagNow := tagOf(before), tagOf(now)
	return tagBefore != tagNow && tagNow != ""
}

// tagOf is the tag of a locked pack: the one in its reference, or the one that was
// followed; "" if it has none.
func tagOf(p lockfile.Entry) string {
	if ref, err := ociref.Parse(p.Ref); err == nil && ref.Tag != "" {
		return ref.Tag
	}
	return p.Tag
}

// Package difference says how packs changed: as text, Markdown and JSON.
package difference

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// Text is a difference for a terminal; nothing if nothing changed.
func Text(d *vendorer.Difference) string {
	var b strings.Builder
	line := func(what, value string) { fmt.Fprintf(&b, "  %-9s %s\n", what, value) }
	for _, text := range trustLines(d, safe.Line) {
		b.WriteString(text + "\n")
	}
	for _, p := range d.Packs {
		fmt.Fprintf(&b, "%s %s\n", p.Name, headline(p))
		for _, r := range slices.Concat(signerRows(p), namedRows(p), digestRows(p)) {
			line(r.what, r.text(safe.Line))
		}
		if p.Old.Size != p.New.Size {
			line("size", sizeText(p))
		}
		for _, f := range p.Files {
			fmt.Fprintf(&b, "  %s\n", fileLine(f))
		}
		switch {
		case p.Unread != "":
			line("files", "not compared: "+safe.Line(p.Unread))
		case p.Files != nil && len(p.Files) == 0:
			line("files", "none changed; they are packed differently")
		}
	}
	if text := totalText(d); text != "" {
		fmt.Fprintf(&b, "all packs: %s\n", text)
	}
	return b.String()
}

// totalText says how the size of all packs together changed; "" if it did not, or if there is a
// single pack, which says so itself.
func totalText(d *vendorer.Difference) string {
	total := d.Total
	switch {
	case total == nil || total.Before == total.After:
		return ""
	case total.Limit.Bytes > 0:
		return growth(total.Before, total.After) + ", limit " + total.Limit.Text
	case len(d.Packs) == 1 && d.Packs[0].Old.Size == total.Before && d.Packs[0].New.Size == total.After:
		return ""
	}
	return growth(total.Before, total.After)
}

// headline says in a few words how a pack changed.
func headline(p vendorer.PackChange) string {
	switch {
	case p.Kind == lockfile.Added && p.New.Path != "":
		return "added from a file"
	case p.Kind == lockfile.Removed && p.Old.Path != "":
		return "removed; it was from a file"
	case p.Kind == lockfile.Changed && p.Old.Path+p.New.Path != "":
		return Movement(p.Old, p.New)
	case p.Kind == lockfile.Added:
		return strings.TrimSpace("added " + p.New.AnyTag())
	case p.Kind == lockfile.Removed:
		return strings.TrimSpace("removed " + p.Old.AnyTag())
	case !isRenamed(p):
		return Movement(p.Old, p.New)
	case p.Old.Ref == p.New.Ref && p.Old.Evidence != p.New.Evidence:
		return signerHeadline(p)
	case nameOf(p.Old) != nameOf(p.New):
		return "is from another repository"
	}
	return "is pinned differently"
}

// isRenamed reports whether the pack is the same and only its reference changed.
func isRenamed(p vendorer.PackChange) bool {
	return p.IsSame() && p.Old.Digest() == p.New.Digest() && !isTagMoved(p.Old, p.New)
}

// A row is one property of a pack, before and after.
type row struct {
	what          string
	before, after string // "" where it says nothing
}

func (r row) isSame() bool { return r.before == r.after }

// text is both values, formatted by show.
func (r row) text(show func(string) string) string {
	switch {
	case r.before == "" || r.before == r.after:
		return show(r.after)
	case r.after == "":
		return show(r.before)
	}
	return show(r.before) + " → " + show(r.after)
}

func newRow(what string, p vendorer.PackChange, text func(lockfile.Entry) string) row {
	r := row{what: what}
	if p.Kind != lockfile.Added {
		r.before = text(p.Old)
	}
	if p.Kind != lockfile.Removed {
		r.after = text(p.New)
	}
	return r
}

// namedRows are the rows about the text of packs.toml that changed. The pin has a row
// only if nothing else changed. The tag has one only if the manifest gives another
// version, even if that is not new.
func namedRows(p vendorer.PackChange) []row {
	rows := []row{placeRow("file", p, func(p lockfile.Entry) string { return p.Path }), placeRow("repo", p, nameOf)}
	if isRenamed(p) {
		rows = append(rows, newRow("pin", p, pinText), newRow("chosen", p, func(p lockfile.Entry) string { return phrase.OrDash(p.Layer) }))
	}
	rows = slices.DeleteFunc(rows, row.isSame)
	if p.OldVersion != "" || p.NewVersion != "" {
		rows = append(rows, tagRow(p))
	}
	return rows
}

// placeRow is the row of a place where a pack comes from. A pack that comes from elsewhere now,
// or did before, has a dash there.
func placeRow(what string, p vendorer.PackChange, text func(lockfile.Entry) string) row {
	r := newRow(what, p, text)
	if p.Kind == lockfile.Changed {
		r.before, r.after = phrase.OrDash(r.before), phrase.OrDash(r.after)
	}
	return r
}

// tagRow is the row of the tags, with the versions that their manifests give.
func tagRow(p vendorer.PackChange) row {
	r := newRow("tag", p, lockfile.Entry.AnyTag)
	if r.before != "" {
		r.before = phrase.WithVersion(r.before, p.OldVersion)
	}
	if r.after != "" {
		r.after = phrase.WithVersion(r.after, p.NewVersion)
	}
	return r
}

// digestRows are the rows of digests that changed.
func digestRows(p vendorer.PackChange) []row {
	isNone := func(r row) bool { return r.isSame() || strings.Trim(r.before+r.after, "-") == "" }
	return slices.DeleteFunc(allDigestRows(p), isNone)
}

// allDigestRows are the rows of manifest and layer.
func allDigestRows(p vendorer.PackChange) []row {
	return []row{
		newRow("manifest", p, manifestText),
		newRow("layer", p, func(p lockfile.Entry) string { return phrase.Digest(p.LayerDigest) }),
	}
}

// manifestText is the digest that leads to a locked pack; a dash if the pack is a file.
func manifestText(p lockfile.Entry) string {
	if p.Path != "" {
		return "-"
	}
	return phrase.Digest(p.Digest())
}

// nameOf is the repository of a locked pack.
func nameOf(p lockfile.Entry) string {
	if ref := p.Reference(); ref.Repository != "" {
		return ref.Name()
	}
	return p.Ref
}

// pinText is how packs.toml says which of the repository's packs is meant.
func pinText(p lockfile.Entry) string {
	ref := p.Reference()
	switch {
	case ref.Repository == "":
		return p.Ref
	case p.Version != "":
		return p.Version
	case ref.Digest == "":
		return ref.Tag
	case ref.Tag == "":
		return phrase.Digest(ref.Digest)
	}
	return ref.Tag + "@" + phrase.Digest(ref.Digest)
}

// sizeText is the size of a pack, and how it changed.
func sizeText(p vendorer.PackChange) string {
	switch p.Kind {
	case lockfile.Added:
		return phrase.Bytes(p.New.Size)
	case lockfile.Removed:
		return phrase.Bytes(p.Old.Size)
	}
	return growth(p.Old.Size, p.New.Size)
}

// growth says how a size changed.
func growth(before, after int64) string { return phrase.Growth(before, after, "→") }

// fileLine is a changed file inside a pack. Its name may be hostile.
func fileLine(f gtpack.FileChange) string {
	name := safe.Name(f.Name)
	switch f.Kind {
	case gtpack.Added:
		return fmt.Sprintf("+ %s, %s", name, phrase.Bytes(f.NewSize))
	case gtpack.Removed:
		return fmt.Sprintf("- %s, %s", name, phrase.Bytes(f.OldSize))
	}
	return fmt.Sprintf("~ %s, %s", name, growth(f.OldSize, f.NewSize))
}

// Movement says how a pack's entry changed.
func Movement(before, now lockfile.Entry) string {
	tagBefore, tagNow := before.AnyTag(), now.AnyTag()
	same := before.LayerDigest == now.LayerDigest
	switch {
	case before != now && before.Path+now.Path != "":
		return fileMovement(before, now)
	case before.Name == "":
		return "locked " + withTag(tagNow, now)
	case isTagMoved(before, now) && same:
		return cmp.Or(tagBefore, phrase.Digest(before.Digest())) + " → " + tagNow + " (bytes identical)"
	case isTagMoved(before, now):
		return cmp.Or(tagBefore, phrase.Digest(before.Digest())) + " → " + tagNow
	case before == now:
		return "unchanged"
	case isSameUnsigned(before, now):
		return signatureMovement(before, now)
	case before.Digest() == now.Digest() && same:
		return "packs.lock entry changed, bytes identical"
	case same:
		return "manifest changed, bytes identical"
	case before.Digest() == now.Digest():
		return "another layer of the same manifest"
	}
	return withTag(tagNow, before) + " → " + phrase.Digest(now.Digest())
}

// isSameUnsigned reports whether entries differ in the signature alone.
func isSameUnsigned(before, now lockfile.Entry) bool {
	before.Signer, before.Evidence = now.Signer, now.Evidence
	return before == now
}

// signatureMovement says how the signature of an entry changed.
func signatureMovement(before, now lockfile.Entry) string {
	switch {
	case before.Signer == "":
		return "signature locked, bytes identical"
	case now.Signer == "":
		return "signature dropped, bytes identical"
	case before.Signer != now.Signer:
		return "signer changed, bytes identical"
	}
	return "evidence changed, bytes identical"
}

// withTag is a locked pack's digest, after the tag if there is one.
func withTag(tag string, p lockfile.Entry) string {
	return strings.TrimSpace(tag + " " + phrase.Digest(p.Digest()))
}

// isTagMoved reports whether a pack has another tag than before.
func isTagMoved(before, now lockfile.Entry) bool {
	tagBefore, tagNow := before.AnyTag(), now.AnyTag()
	return tagBefore != tagNow && tagNow != ""
}

// fileMovement says how the entry of a pack changed that is or was a file.
func fileMovement(before, now lockfile.Entry) string {
	text := fileText(before) + " → " + fileText(now)
	if before.Path != "" && now.Path != "" {
		text = fileText(before) + " → " + phrase.Digest(now.LayerDigest)
	}
	switch same := before.LayerDigest == now.LayerDigest; {
	case before.Name == "":
		return "locked " + fileText(now)
	case same && before.Path != "" && now.Path != "":
		return "packs.lock entry changed, bytes identical"
	case same:
		return text + " (bytes identical)"
	}
	return text
}

// fileText is what a pack is, beside a file: that, or a tag, or a digest.
func fileText(p lockfile.Entry) string {
	if p.Path != "" {
		return "from a file " + phrase.Digest(p.LayerDigest)
	}
	return cmp.Or(p.AnyTag(), phrase.Digest(p.Digest()))
}

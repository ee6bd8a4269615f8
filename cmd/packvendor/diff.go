package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) diffCommand() *cobra.Command {
	var markdown bool
	var insecure []string
	command := &cobra.Command{
		Use:   "diff [REV | REF REF]",
		Short: "Show what changed since a git revision, or between two packs",
		Long: `Show what changed in the packs between a git revision, HEAD if none is named,
and now: versions, digests, sizes and, where the bytes are at hand in the
repository, the project or the cache, the files inside the packs. No network is
used.

With two references, show what changed from one pack to the other. They are
fetched through the cache, and no packs.toml is needed.

Exit code 1 tells that something changed.`,
		Example: `  packvendor diff
  packvendor diff --markdown origin/main
  packvendor diff ghcr.io/greenticai/telco-x:1.0 ghcr.io/greenticai/telco-x:1.1`,
		Args:              arguments(0, 2, "at most one revision, or two references"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(command *cobra.Command, args []string) error {
			if markdown && c.json {
				return usagef("--markdown and --json exclude each other")
			}
			if markdown {
				c.section = markdownSection
			}
			if len(args) == 2 {
				return c.diffReferences(command, insecure, args, markdown)
			}
			revision := "HEAD"
			if len(args) == 1 {
				revision = args[0]
			}
			return c.eachProject(func(o vendorer.Options) error {
				d, err := vendorer.Diff(command.Context(), o, revision)
				if err != nil {
					return err
				}
				return c.reportDiff(d, markdown)
			})
		},
	}
	c.projectsFlags(command)
	c.insecureFlag(command, &insecure)
	command.Flags().BoolVar(&markdown, "markdown", false, "print a table for the body of a pull request")
	return command
}

// diffReferences shows what changed from one reference to another.
func (c *cli) diffReferences(command *cobra.Command, insecure, references []string, markdown bool) error {
	o, err := c.oneProject(command)
	if err != nil {
		return err
	}
	o.Fetch.InsecureRegistries = insecure
	d, err := vendorer.DiffReferences(command.Context(), o, references[0], references[1])
	if err != nil {
		return err
	}
	return c.reportDiff(d, markdown)
}

// diffJSON is the document of diff --json; it has no revision where two references
// were compared.
type diffJSON struct {
	Revision string           `json:"revision,omitempty"`
	Commit   string           `json:"commit,omitempty"`
	Packs    []packChangeJSON `json:"packs"`
}

type packChangeJSON struct {
	Name   string           `json:"name"`
	Kind   string           `json:"kind"`   // added, removed or changed
	Before *lockedJSON      `json:"before"` // null if added
	After  *lockedJSON      `json:"after"`  // null if removed
	Files  []fileChangeJSON `json:"files"`  // null if not known, or the bytes are the same
	Unread string           `json:"unread,omitempty"`
}

// lockedJSON is an entry of packs.lock.
type lockedJSON struct {
	Ref     string `json:"ref"`
	Version string `json:"version,omitempty"`
	Tag     string `json:"tag,omitempty"`
	// ManifestVersion is the version that the manifest gives where the tag is another.
	ManifestVersion string `json:"manifest_version,omitempty"`
	IndexDigest     string `json:"index_digest,omitempty"`
	ManifestDigest  string `json:"manifest_digest"`
	LayerDigest     string `json:"layer_digest"`
	Size            int64  `json:"size"`
	MediaType       string `json:"media_type"`
}

type fileChangeJSON struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // added, removed or changed
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

func newLockedJSON(p lockfile.Pack) *lockedJSON {
	if p.Name == "" {
		return nil
	}
	return &lockedJSON{
		Ref: p.Ref, Version: p.Version, Tag: p.Tag, IndexDigest: string(p.IndexDigest),
		ManifestDigest: string(p.ManifestDigest), LayerDigest: string(p.LayerDigest), Size: p.Size, MediaType: p.MediaType,
	}
}

func newDiffJSON(d *vendorer.Difference) diffJSON {
	doc := diffJSON{Revision: d.Revision, Commit: d.Commit, Packs: []packChangeJSON{}}
	for _, p := range d.Packs {
		change := packChangeJSON{Name: p.Name, Kind: string(p.Kind), Before: newLockedJSON(p.Old), After: newLockedJSON(p.New), Unread: p.Unread}
		if change.Before != nil {
			change.Before.ManifestVersion = p.OldVersion
		}
		if change.After != nil {
			change.After.ManifestVersion = p.NewVersion
		}
		if p.Files != nil {
			change.Files = []fileChangeJSON{}
		}
		for _, f := range p.Files {
			change.Files = append(change.Files, fileChangeJSON{Name: f.Name, Kind: string(f.Kind), Before: f.OldSize, After: f.NewSize})
		}
		doc.Packs = append(doc.Packs, change)
	}
	return doc
}

func (c *cli) reportDiff(d *vendorer.Difference, markdown bool) error {
	render := diffText
	if markdown {
		render = diffMarkdown
	}
	kind := problem.None
	if len(d.Packs) > 0 {
		kind = problem.Drift
	}
	return c.end(outcome{kind: kind, document: newDiffJSON(d), before: render(d)})
}

// diffText is a difference for a terminal; nothing if nothing changed.
func diffText(d *vendorer.Difference) string {
	var b strings.Builder
	line := func(what, value string) { fmt.Fprintf(&b, "  %-9s %s\n", what, value) }
	for _, p := range d.Packs {
		fmt.Fprintf(&b, "%s %s\n", p.Name, headline(p))
		for _, r := range append(namedRows(p), digestRows(p)...) {
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
			line("files", "none changed, they are packed otherwise")
		}
	}
	return b.String()
}

// headline says in a few words what happened to a pack.
func headline(p vendorer.PackChange) string {
	switch {
	case p.Kind == lockfile.Added:
		return strings.TrimSpace("added " + tagOf(p.New))
	case p.Kind == lockfile.Removed:
		return strings.TrimSpace("removed " + tagOf(p.Old))
	case !isRenamed(p):
		return movement(p.Old, p.New)
	case nameOf(p.Old) != nameOf(p.New):
		return "is from another repository"
	}
	return "is pinned otherwise"
}

// isRenamed tells that only the words changed that lead to a pack.
func isRenamed(p vendorer.PackChange) bool {
	return p.IsSame() && p.Old.Digest() == p.New.Digest() && !isTagMoved(p.Old, p.New)
}

// A row is what packs.lock says of one thing, then and now.
type row struct {
	what          string
	before, after string // "" where it says nothing
}

func (r row) isSame() bool { return r.before == r.after }

// text is what was and is, each as show shows it.
func (r row) text(show func(string) string) string {
	switch {
	case r.before == "" || r.before == r.after:
		return show(r.after)
	case r.after == "":
		return show(r.before)
	}
	return show(r.before) + " → " + show(r.after)
}

func newRow(what string, p vendorer.PackChange, text func(lockfile.Pack) string) row {
	r := row{what: what}
	if p.Kind != lockfile.Added {
		r.before = text(p.Old)
	}
	if p.Kind != lockfile.Removed {
		r.after = text(p.New)
	}
	return r
}

// namedRows are about what packs.toml says, and changed. What pins a pack is told only
// where nothing else tells it; its tag only where the manifest gives another version,
// also where that has not changed.
func namedRows(p vendorer.PackChange) []row {
	rows := []row{newRow("repo", p, nameOf)}
	if isRenamed(p) {
		rows = append(rows, newRow("pin", p, pinText), newRow("chosen", p, func(p lockfile.Pack) string { return phrase.OrDash(p.Layer) }))
	}
	rows = slices.DeleteFunc(rows, row.isSame)
	if p.OldVersion != "" || p.NewVersion != "" {
		rows = append(rows, tagRow(p))
	}
	return rows
}

// tagRow is what tags there are, and what their manifests say to them.
func tagRow(p vendorer.PackChange) row {
	r := newRow("tag", p, tagOf)
	if r.before != "" {
		r.before = withVersion(r.before, p.OldVersion)
	}
	if r.after != "" {
		r.after = withVersion(r.after, p.NewVersion)
	}
	return r
}

// withVersion marks a text with a tag in it where the manifest gives another version.
func withVersion(text, version string) string {
	if version == "" {
		return text
	}
	return text + " (manifest says " + version + ")"
}

// digestRows are about what was found, and changed.
func digestRows(p vendorer.PackChange) []row {
	return slices.DeleteFunc(allDigestRows(p), row.isSame)
}

// allDigestRows are those of the manifest and of the layer.
func allDigestRows(p vendorer.PackChange) []row {
	return []row{
		newRow("manifest", p, func(p lockfile.Pack) string { return phrase.Digest(p.Digest()) }),
		newRow("layer", p, func(p lockfile.Pack) string { return phrase.Digest(p.LayerDigest) }),
	}
}

// nameOf is the repository of a locked pack.
func nameOf(p lockfile.Pack) string {
	ref, err := ociref.Parse(p.Ref)
	if err != nil {
		return p.Ref
	}
	return ref.Name()
}

// pinText is how packs.toml says which of the repository's packs is meant.
func pinText(p lockfile.Pack) string {
	ref, err := ociref.Parse(p.Ref)
	switch {
	case err != nil:
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
func growth(before, after int64) string {
	change, percent := after-before, 100*float64(after-before)/float64(before)
	text := fmt.Sprintf("%s → %s", phrase.Bytes(before), phrase.Bytes(after))
	switch {
	case change == 0:
		return phrase.Bytes(after)
	case change == 1 || change == -1:
		return fmt.Sprintf("%s (%+d byte)", text, change)
	case before == 0 || phrase.Bytes(before) == phrase.Bytes(after) || math.Abs(percent) < 0.05:
		return fmt.Sprintf("%s (%+d bytes)", text, change)
	}
	return fmt.Sprintf("%s (%+.1f %%)", text, percent)
}

// fileLine is a file inside a pack that changed. Its name is anybody's.
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

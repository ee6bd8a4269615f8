package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) diffCommand() *cobra.Command {
	var markdown bool
	command := &cobra.Command{
		Use:   "diff [REV]",
		Short: "Show what changed in the packs since a git revision",
		Long: `Show what changed in the packs between a git revision, HEAD if none is named,
and now: versions, digests, sizes and, where the bytes are at hand in the
repository, the project or the cache, the files inside the packs. No network is
used. Exit code 1 tells that something changed.`,
		Example: `  packvendor diff
  packvendor diff --markdown origin/main`,
		Args:              arguments(0, 1, "at most one revision"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(command *cobra.Command, args []string) error {
			revision := "HEAD"
			if len(args) > 0 {
				revision = args[0]
			}
			if markdown && c.json {
				return usagef("--markdown and --json exclude each other")
			}
			if markdown {
				c.section = markdownSection
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
	command.Flags().BoolVar(&markdown, "markdown", false, "print a table for the body of a pull request")
	return command
}

// diffJSON is the document of diff --json.
type diffJSON struct {
	Revision string           `json:"revision"`
	Commit   string           `json:"commit"`
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
	Ref            string `json:"ref"`
	Version        string `json:"version,omitempty"`
	Tag            string `json:"tag,omitempty"`
	IndexDigest    string `json:"index_digest,omitempty"`
	ManifestDigest string `json:"manifest_digest"`
	LayerDigest    string `json:"layer_digest"`
	Size           int64  `json:"size"`
	MediaType      string `json:"media_type"`
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
	print := func() error { return c.print("%s", render(d)) }
	switch {
	case len(d.Packs) > 0:
		return &foundError{code: exitDrift, document: func(int, []problem) any { return newDiffJSON(d) }, before: print}
	case c.json:
		return c.printJSON(newDiffJSON(d))
	}
	return print()
}

// diffText is a difference for a terminal; nothing if nothing changed.
func diffText(d *vendorer.Difference) string {
	var b strings.Builder
	line := func(what, value string) { fmt.Fprintf(&b, "  %-9s %s\n", what, value) }
	for _, p := range d.Packs {
		fmt.Fprintf(&b, "%s %s\n", p.Name, headline(p))
		for _, r := range append(namedRows(p), digestRows(p)...) {
			if r.before != r.after {
				line(r.what, r.text(oneLine))
			}
		}
		if p.Old.Size != p.New.Size {
			line("size", sizeText(p))
		}
		for _, f := range p.Files {
			fmt.Fprintf(&b, "  %s\n", fileLine(f))
		}
		switch {
		case p.Unread != "":
			line("files", "not compared: "+oneLine(p.Unread))
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

// namedRows are about what packs.toml says. What pins a pack is told only where
// nothing else tells it.
func namedRows(p vendorer.PackChange) []row {
	rows := []row{newRow("repo", p, nameOf)}
	if isRenamed(p) {
		rows = append(rows, newRow("pin", p, pinText), newRow("chosen", p, func(p lockfile.Pack) string { return orDash(p.Layer) }))
	}
	return rows
}

// digestRows are about what was found.
func digestRows(p vendorer.PackChange) []row {
	return []row{
		newRow("manifest", p, func(p lockfile.Pack) string { return short(p.Digest()) }),
		newRow("layer", p, func(p lockfile.Pack) string { return short(p.LayerDigest) }),
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
		return short(ref.Digest)
	}
	return ref.Tag + "@" + short(ref.Digest)
}

// sizeText is the size of a pack, and how it changed.
func sizeText(p vendorer.PackChange) string {
	switch p.Kind {
	case lockfile.Added:
		return bytesText(p.New.Size)
	case lockfile.Removed:
		return bytesText(p.Old.Size)
	}
	return growth(p.Old.Size, p.New.Size)
}

// growth says how a size changed.
func growth(before, after int64) string {
	change, percent := after-before, 100*float64(after-before)/float64(before)
	text := fmt.Sprintf("%s → %s", bytesText(before), bytesText(after))
	switch {
	case change == 0:
		return bytesText(after)
	case change == 1 || change == -1:
		return fmt.Sprintf("%s (%+d byte)", text, change)
	case before == 0 || bytesText(before) == bytesText(after) || math.Abs(percent) < 0.05:
		return fmt.Sprintf("%s (%+d bytes)", text, change)
	}
	return fmt.Sprintf("%s (%+.1f %%)", text, percent)
}

// fileLine is a file inside a pack that changed. Its name is anybody's.
func fileLine(f gtpack.Change) string {
	name := cutOff(f.Name, maxName)
	switch f.Kind {
	case gtpack.Added:
		return fmt.Sprintf("+ %s, %s", name, bytesText(f.NewSize))
	case gtpack.Removed:
		return fmt.Sprintf("- %s, %s", name, bytesText(f.OldSize))
	}
	return fmt.Sprintf("~ %s, %s", name, growth(f.OldSize, f.NewSize))
}

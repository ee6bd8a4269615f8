package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) diffCommand() *cobra.Command {
	var markdown bool
	command := &cobra.Command{
		Use:   "diff [REV]",
		Short: "Show what changed in the packs since a git revision",
		Long: `Show what changed in the packs between a git revision, HEAD if none is named, and
now: versions, digests, sizes and, where the bytes are at hand in the repository, the
project or the cache, the files inside the packs. No network is used. Exit code 1
tells that something changed.`,
		Example: `  packvendor diff
  packvendor diff --markdown origin/main`,
		Args: arguments(0, 1, "at most one revision"),
		RunE: func(command *cobra.Command, args []string) error {
			revision := "HEAD"
			if len(args) > 0 {
				revision = args[0]
			}
			if markdown && c.json {
				return usagef("--markdown and --json exclude each other")
			}
			d, err := vendorer.Diff(command.Context(), c.options(), revision)
			if err != nil {
				return err
			}
			return c.reportDiff(d, markdown)
		},
	}
	c.projectFlags(command)
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
	c.progress.stop()
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
	for _, p := range d.Packs {
		fmt.Fprintf(&b, "%s %s\n", p.Name, headline(p))
		for _, row := range diffRows(p) {
			fmt.Fprintf(&b, "  %-9s %s\n", row[0], row[1])
		}
		for _, f := range p.Files {
			fmt.Fprintf(&b, "  %s\n", fileLine(f))
		}
		if p.Unread != "" {
			fmt.Fprintf(&b, "  files     not compared: %s\n", oneLine(p.Unread))
		}
	}
	return b.String()
}

// headline says in a few words what happened to a pack.
func headline(p vendorer.PackChange) string {
	switch p.Kind {
	case lockfile.Added:
		return strings.TrimSpace("added " + tagOf(p.New))
	case lockfile.Removed:
		return strings.TrimSpace("removed " + tagOf(p.Old))
	}
	if p.Old.Digest() == p.New.Digest() && p.IsSame() {
		return "is named otherwise"
	}
	return movement(p.Old, p.New)
}

// diffRows are what an entry of packs.lock says differently.
func diffRows(p vendorer.PackChange) [][2]string {
	var rows [][2]string
	add := func(what, before, after string) {
		switch {
		case before == after:
		case p.Kind == lockfile.Added:
			rows = append(rows, [2]string{what, after})
		case p.Kind == lockfile.Removed:
			rows = append(rows, [2]string{what, before})
		default:
			rows = append(rows, [2]string{what, before + " → " + after})
		}
	}
	add("repo", nameOf(p.Old), nameOf(p.New))
	add("manifest", digestText(p.Old), digestText(p.New))
	add("layer", layerText(p.Old), layerText(p.New))
	if p.Kind != lockfile.Changed {
		add("size", sizeText(p.Old), sizeText(p.New))
	} else if p.Old.Size != p.New.Size {
		rows = append(rows, [2]string{"size", growth(p.Old.Size, p.New.Size)})
	}
	return rows
}

func digestText(p lockfile.Pack) string {
	if p.Name == "" {
		return ""
	}
	return short(p.Digest())
}

func layerText(p lockfile.Pack) string {
	if p.Name == "" {
		return ""
	}
	return short(p.LayerDigest)
}

func sizeText(p lockfile.Pack) string {
	if p.Name == "" {
		return ""
	}
	return bytesText(p.Size)
}

// growth says how a size changed.
func growth(before, after int64) string {
	text := fmt.Sprintf("%s → %s", bytesText(before), bytesText(after))
	switch {
	case before == after:
		return text
	case bytesText(before) == bytesText(after) || before == 0:
		return fmt.Sprintf("%s (%+d bytes)", text, after-before)
	}
	return fmt.Sprintf("%s (%+.1f %%)", text, 100*float64(after-before)/float64(before))
}

// fileLine is a file inside a pack that changed. Its name is anybody's.
func fileLine(f gtpack.Change) string {
	name := oneLine(f.Name)
	switch f.Kind {
	case gtpack.Added:
		return fmt.Sprintf("+ %s, %s", name, bytesText(f.NewSize))
	case gtpack.Removed:
		return fmt.Sprintf("- %s, %s", name, bytesText(f.OldSize))
	}
	if f.OldSize == f.NewSize {
		return fmt.Sprintf("~ %s, %s", name, bytesText(f.NewSize))
	}
	return fmt.Sprintf("~ %s, %s", name, growth(f.OldSize, f.NewSize))
}

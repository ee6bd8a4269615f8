package main

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// maxFilesShown bounds how many files of one pack a pull request is told of: bodies
// of pull requests have an end.
const maxFilesShown = 50

// diffMarkdown is a difference for the body of a pull request.
func diffMarkdown(d *vendorer.Difference) string {
	if len(d.Packs) == 0 {
		return "No pack changed.\n"
	}
	var b strings.Builder
	b.WriteString("| pack | change | manifest | layer | size |\n|---|---|---|---|---|\n")
	for _, p := range d.Packs {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(p.Name), headline(p),
			moved(digestText(p.Old), digestText(p.New)), moved(layerText(p.Old), layerText(p.New)), sizeCell(p))
	}
	for _, p := range d.Packs {
		writeFiles(&b, p)
	}
	return b.String()
}

// moved is a cell for two values, of which one may be missing.
func moved(before, after string) string {
	switch {
	case before == "" || before == after:
		return code(after)
	case after == "":
		return code(before)
	}
	return code(before) + " → " + code(after)
}

func sizeCell(p vendorer.PackChange) string {
	switch p.Kind {
	case lockfile.Added:
		return bytesText(p.New.Size)
	case lockfile.Removed:
		return bytesText(p.Old.Size)
	}
	if p.Old.Size == p.New.Size {
		return bytesText(p.New.Size)
	}
	return growth(p.Old.Size, p.New.Size)
}

// writeFiles writes the files of a pack that changed, folded.
func writeFiles(b *strings.Builder, p vendorer.PackChange) {
	switch {
	case p.Unread != "":
		fmt.Fprintf(b, "\nThe files of %s were not compared: %s.\n", code(p.Name), code(oneLine(p.Unread)))
		return
	case len(p.Files) == 0:
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s: %s changed</summary>\n\n", p.Name, counted(len(p.Files), "file"))
	for i, f := range p.Files {
		if i == maxFilesShown {
			fmt.Fprintf(b, "- and %d more\n", len(p.Files)-i)
			break
		}
		fmt.Fprintf(b, "- %s\n", code(fileLine(f)))
	}
	b.WriteString("\n</details>\n")
}

// code is text of printable characters as code, in which Markdown means nothing, nor
// does HTML or the name of a user; also in a table.
func code(text string) string {
	return "`" + strings.NewReplacer("`", `\x60`, "|", `\x7c`).Replace(text) + "`"
}

// nameOf is the repository of a locked pack.
func nameOf(p lockfile.Pack) string {
	ref, err := ociref.Parse(p.Ref)
	if err != nil {
		return p.Ref
	}
	return ref.Name()
}

package difference

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/vendorer"
)

// maxFilesShown bounds the files of one pack in the body of a pull request, which has a
// limit.
const maxFilesShown = 50

// Markdown is a difference for the body of a pull request.
func Markdown(d *vendorer.Difference) string {
	var b strings.Builder
	for _, text := range trustLines(d, safe.Code) {
		b.WriteString("- **Signatures:** " + text + "\n")
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	if len(d.Packs) == 0 {
		return b.String() + "No pack changed.\n"
	}
	b.WriteString("| pack | change | manifest | layer | size |\n|---|---|---|---|---|\n")
	for _, p := range d.Packs {
		digests := allDigestRows(p)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", safe.Code(p.Name), changeCell(p), digests[0].text(safe.Code), digests[1].text(safe.Code), sizeText(p))
	}
	if text := totalText(d); text != "" {
		b.WriteString("\nAll packs: " + text + "\n")
	}
	for _, p := range d.Packs {
		writeFiles(&b, p)
	}
	return b.String()
}

// MarkdownSection begins the changes of one of several files packs.toml.
func MarkdownSection(file string) string { return "### " + safe.Code(safe.Line(file)) + "\n\n" }

// changeCell says how a pack changed, and from which repository it is now: a reviewer
// looks for that.
func changeCell(p vendorer.PackChange) string {
	cell := safe.Code(headline(p))
	for _, r := range append(signerRows(p), namedRows(p)...) {
		cell += "<br>" + r.what + " " + r.text(safe.Code)
	}
	return cell
}

// writeFiles writes the files of a pack that changed, folded.
func writeFiles(b *strings.Builder, p vendorer.PackChange) {
	switch {
	case p.Unread != "":
		fmt.Fprintf(b, "\nThe files of %s were not compared: %s.\n", safe.Code(p.Name), safe.Code(safe.Line(p.Unread)))
		return
	case p.Files == nil:
		return
	case len(p.Files) == 0:
		fmt.Fprintf(b, "\nNo file in %s changed; they are packed differently.\n", safe.Code(p.Name))
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s: %s changed</summary>\n\n", p.Name, phrase.Count(len(p.Files), "file"))
	for i, f := range p.Files {
		if i == maxFilesShown {
			fmt.Fprintf(b, "- and %d more\n", len(p.Files)-i)
			break
		}
		fmt.Fprintf(b, "- %s\n", safe.Code(fileLine(f)))
	}
	b.WriteString("\n</details>\n")
}

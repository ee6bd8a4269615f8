// Package phrase says quantities, sizes and digests in words, and lays out tables.
package phrase

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
)

// Plural is n and the noun that goes with it.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Count is n and a noun: "1 pack", "2 packs".
func Count(n int, noun string) string { return Plural(n, noun, noun+"s") }

// Bytes is a number of bytes as people read it, in decimal units.
func Bytes(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// Growth says how a size changed: before, an arrow, after, and by how much.
func Growth(before, after int64, arrow string) string {
	change, percent := after-before, 100*float64(after-before)/float64(before)
	text := Bytes(before) + " " + arrow + " " + Bytes(after)
	switch {
	case change == 0:
		return Bytes(after)
	case change == 1 || change == -1:
		return fmt.Sprintf("%s (%+d byte)", text, change)
	case before == 0 || Bytes(before) == Bytes(after) || math.Abs(percent) < 0.05:
		return fmt.Sprintf("%s (%+d bytes)", text, change)
	}
	return fmt.Sprintf("%s (%+.1f %%)", text, percent)
}

// Digest is a digest that a person can compare by eye.
func Digest(d ociref.Digest) string { return "sha256:" + d.Hex()[:min(12, len(d.Hex()))] }

// Join joins the texts that are not empty.
func Join(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return text == "" }), separator)
}

// OrDash is a cell that may be empty.
func OrDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}

// WithVersion marks a text with a tag in it where the manifest gives another version.
func WithVersion(text, version string) string {
	if version == "" {
		return text
	}
	return text + " (manifest says " + version + ")"
}

// A Table is text in aligned columns, under a line of headings if there are any.
type Table struct {
	text   strings.Builder
	writer *tabwriter.Writer
	rows   int
}

// NewTable returns a table without rows.
func NewTable(headings ...string) *Table {
	t := &Table{}
	t.writer = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	if len(headings) > 0 {
		t.line(headings)
	}
	return t
}

// maxCell bounds a cell, in bytes: it may be a list of foreign text.
const maxCell = 1000

// Add adds a row. It escapes and bounds foreign text in the cells.
func (t *Table) Add(cells ...string) {
	t.rows++
	t.line(cells)
}

func (t *Table) line(cells []string) {
	for i, cell := range cells {
		if i > 0 {
			t.writer.Write([]byte("\t"))
		}
		t.writer.Write([]byte(printable.Line(cell, maxCell)))
	}
	t.writer.Write([]byte("\n"))
}

// String is the table, nothing if it has no rows.
func (t *Table) String() string {
	if t.rows == 0 {
		return ""
	}
	t.writer.Flush()
	var lines strings.Builder
	for line := range strings.Lines(t.text.String()) {
		lines.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return lines.String()
}

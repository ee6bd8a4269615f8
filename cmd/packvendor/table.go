package main

import (
	"strings"
	"text/tabwriter"
)

// A table is text in aligned columns, under a line of headings if there are any.
type table struct {
	text   strings.Builder
	writer *tabwriter.Writer
	rows   int
}

func newTable(headings ...string) *table {
	t := &table{}
	t.writer = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	if len(headings) > 0 {
		t.line(headings)
	}
	return t
}

// Bounds of foreign text in a line, in bytes: of a cell, which may be a list, and of
// the name of a file in a pack.
const (
	maxCell = 1000
	maxName = 200
)

// cutOff is s, escaped, its end cut off if it is long.
func cutOff(s string, most int) string {
	if s = oneLine(s); len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// add adds a row. What the cells hold of foreign text is escaped, and bounded.
func (t *table) add(cells ...string) {
	t.rows++
	t.line(cells)
}

func (t *table) line(cells []string) {
	for i, cell := range cells {
		if i > 0 {
			t.writer.Write([]byte("\t"))
		}
		t.writer.Write([]byte(cutOff(cell, maxCell)))
	}
	t.writer.Write([]byte("\n"))
}

// String is the table, nothing if it has no rows.
func (t *table) String() string {
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

// orDash is a cell that may be empty.
func orDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}

package phrase

import (
	"strings"
	"text/tabwriter"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
)

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
		t.writer.Write([]byte(safe.Cut(cell, maxCell)))
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

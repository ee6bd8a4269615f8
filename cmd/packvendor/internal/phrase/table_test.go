package phrase

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	for _, test := range []struct {
		name     string
		headings []string
		rows     [][]string
		want     string
	}{
		{"no rows", []string{"A", "B"}, nil, ""},
		{"headings", []string{"NAME", "B"}, [][]string{{"a", "b"}, {"longer", "c"}}, "NAME    B\na       b\nlonger  c\n"},
		{"no headings", nil, [][]string{{"a", "b"}, {"", "c"}}, "a  b\n   c\n"},
		{"nothing at the end", nil, [][]string{{"a", "b"}, {"c", ""}}, "a  b\nc\n"},
		{"hostile", nil, [][]string{{"a\tb\nc", "\x1b[2J\u202e"}, {"d", "e"}}, "a\\tb\\nc  \\x1b[2J\\u202e\nd        e\n"},
		{"long", nil, [][]string{{strings.Repeat("x", maxCell+1)}}, strings.Repeat("x", maxCell) + "...\n"},
	} {
		table := NewTable(test.headings...)
		for _, row := range test.rows {
			table.Add(row...)
		}
		if got := table.String(); got != test.want {
			t.Errorf("%s:\n%swant:\n%s", test.name, got, test.want)
		}
	}
}

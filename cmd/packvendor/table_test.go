package main

import (
	"errors"
	"strings"
	"testing"
)

func TestCutOff(t *testing.T) {
	for _, test := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc..."},
		{"a\n\u202e", 9, `a\n\u202e`},
		{"a\n\u202e", 8, `a\n\u202...`}, // half an escape is harmless, too
	} {
		if got := cutOff(test.text, test.most); got != test.want {
			t.Errorf("%q to %d: %q, want %q", test.text, test.most, got, test.want)
		}
	}
}

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
		table := newTable(test.headings...)
		for _, row := range test.rows {
			table.add(row...)
		}
		if got := table.String(); got != test.want {
			t.Errorf("%s:\n%swant:\n%s", test.name, got, test.want)
		}
	}
}

// full is a standard output that takes nothing.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

// A standard output that takes nothing is a storage error of whatever prints.
func TestTableFull(t *testing.T) {
	for _, args := range [][]string{{"cache", "dir"}, {"cache", "verify"}, {"cache", "dir", "--json"}, {"inspect", packFile(t)}} {
		var stderr strings.Builder
		code := run(t.Context(), process{args: append(args, "--cache-dir="+t.TempDir()), stdout: full{}, stderr: &stderr, getenv: func(string) string { return "" }})
		if got := stderr.String(); code != exitStorage || got != "packvendor: error: no room\n" {
			t.Errorf("%v: exit code %d, stderr %q", args, code, got)
		}
	}
}

// JSON is ASCII: what could act upon a terminal is escaped, and means the same.
func TestASCIIJSON(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"{\n  \"a\": \"b\"\n}\n", "{\n  \"a\": \"b\"\n}\n"},
		{"\"\u202e\x7f\u009b\ufeff→\"", `"\u202e\u007f\u009b\ufeff\u2192"`},
		{"\"😀\U0010ffff\"", `"\ud83d\ude00\udbff\udfff"`},
	} {
		if got := asciiJSON(test.text); got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
	}
}

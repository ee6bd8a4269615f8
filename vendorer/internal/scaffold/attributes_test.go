package scaffold

import "testing"

func TestWithLines(t *testing.T) {
	lines := []string{"packs.lock text eol=lf", "*.gtpack binary"}
	for _, test := range []struct{ name, data, want string }{
		{"no file", "", "packs.lock text eol=lf\n*.gtpack binary\n"},
		{"others", "*.png binary\n", "*.png binary\npacks.lock text eol=lf\n*.gtpack binary\n"},
		{"no final newline", "*.png binary", "*.png binary\npacks.lock text eol=lf\n*.gtpack binary\n"},
		{"CRLF", "*.png binary\r\n", "*.png binary\r\npacks.lock text eol=lf\r\n*.gtpack binary\r\n"},
		{"CRLF, no final newline", "a b\r\nc d", "a b\r\nc d\r\npacks.lock text eol=lf\r\n*.gtpack binary\r\n"},
		{"there already", "packs.lock text eol=lf\n*.gtpack binary\n", "packs.lock text eol=lf\n*.gtpack binary\n"},
		{"there already, without final newline", "*.gtpack binary\npacks.lock -diff", "*.gtpack binary\npacks.lock -diff"},
		{"one there, as somebody wants it", "*.gtpack\tfilter=lfs\n", "*.gtpack\tfilter=lfs\npacks.lock text eol=lf\n"},
		{"one there, alone and indented", "  *.gtpack\n", "  *.gtpack\npacks.lock text eol=lf\n"},
		{"in a comment", "#packs.lock x\n# *.gtpack\n", "#packs.lock x\n# *.gtpack\npacks.lock text eol=lf\n*.gtpack binary\n"},
		{"blank lines", "\n\n", "\n\npacks.lock text eol=lf\n*.gtpack binary\n"},
	} {
		got := string(withLines([]byte(test.data), lines))
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if again := string(withLines([]byte(got), lines)); again != got {
			t.Errorf("%s: once more: got %q, want %q", test.name, again, got)
		}
	}
}

// go generate must read the quoted word as the word itself.
func TestGenerateWord(t *testing.T) {
	for word, want := range map[string]string{
		"packs.toml":      "packs.toml",
		"../a-b_c/p.toml": "../a-b_c/p.toml",
		"it's.toml":       "it's.toml",
		"my packs.toml":   `"my packs.toml"`,
		`a"b`:             `"a\"b"`,
		`a\b`:             `"a\\b"`,
		"a\tb":            `"a\tb"`,
		"a\nb":            `"a\nb"`,
		"$HOME/p.toml":    "${DOLLAR}HOME/p.toml",
		"p\u00e4cks.toml": "p\u00e4cks.toml",
	} {
		if got := generateWord(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

package project

import "testing"

// A path is shown in one line, whatever its folders are called.
func TestVisible(t *testing.T) {
	for name, want := range map[string]string{
		"a/b.toml":                      "a/b.toml",
		"ä/b.toml":                      "ä/b.toml",
		"n\npackvendor: hint: x/b.toml": `n\npackvendor: hint: x/b.toml`,
		"\x1b[31m/b":                    `\x1b[31m/b`,
	} {
		if got := visible(name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

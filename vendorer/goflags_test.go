package vendorer

import (
	"slices"
	"testing"

	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// Flags are split as the go command splits them: cmd/internal/quoted.
func TestSplitFlags(t *testing.T) {
	for flags, want := range map[string][]string{
		"":                   nil,
		"  -a \t-b=c\n":      {"-a", "-b=c"},
		"'-overlay=/a b' -x": {"-overlay=/a b", "-x"},
		`"-overlay='x'"`:     {"-overlay='x'"},
		`-ldflags='-s -w'`:   {"-ldflags='-s", "-w'"},
		`'-a'-b`:             {"-a", "-b"},
		`"-open`:             {"-open"},
		`'' -a`:              {"", "-a"},
	} {
		if got := splitFlags(flags); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", flags, got, want)
		}
	}
}

// A path is shown in one line, whatever its folders are called.
func TestVisible(t *testing.T) {
	for name, want := range map[string]string{
		"a/b.toml":                      "a/b.toml",
		"ä/b.toml":                      "ä/b.toml",
		"n\npackvendor: hint: x/b.toml": `n\npackvendor: hint: x/b.toml`,
		"\x1b[31m/b":                    `\x1b[31m/b`,
	} {
		if got := project.Visible(name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

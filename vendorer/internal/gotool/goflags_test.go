package gotool

import (
	"slices"
	"testing"
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

package gotool

import (
	"slices"
	"testing"
)

// The go command splits flags in cmd/internal/quoted.
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

package nearest

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	known := []string{"ab", "allow_tags", "embed", "packs"}
	for _, test := range []struct{ word, want string }{
		{"alow_tags", "allow_tags"},
		{"ALLOW_TAGS", "allow_tags"},
		{"pcks", "packs"},
		{"Pack", "packs"},
		{"embedded", ""},
		{"", ""},
		{"x", ""},
		{strings.Repeat("a", 1<<20), ""},
	} {
		if got := Of(test.word, known); got != test.want {
			t.Errorf("Of(%.20q) = %q, want %q", test.word, got, test.want)
		}
	}
}

package lockfile

import (
	"strings"
	"testing"
)

func TestIsKey(t *testing.T) {
	for key, want := range map[string]bool{
		"name": true, "layer_digest": true, "A-9_z": true, strings.Repeat("k", 64): true,
		"": false, "a.b": false, "a b": false, "k\u00e9y": false, "a\n": false, `"a"`: false, strings.Repeat("k", 65): false,
	} {
		if got := isKey(key); got != want {
			t.Errorf("%q: %v", key, got)
		}
	}
}

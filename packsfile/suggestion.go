package packsfile

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/nearest"
)

// unknownKey says that key is none of known, and which of them may have been
// meant.
func unknownKey(key string, known []string) string {
	best := nearest.Of(key, known)
	if best == "" {
		return "unknown key " + quote(key)
	}
	return fmt.Sprintf("unknown key %s: did you mean %q?", quote(key), best)
}

package packsfile

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/printable"
)

// unknownKey says that key is none of known, and which of them may have been
// meant.
func unknownKey(key string, known []string) string {
	best := nearest.Of(key, known)
	if best == "" {
		return "unknown key " + printable.Quote(key, maxQuoted)
	}
	return fmt.Sprintf("unknown key %s: did you mean %q?", printable.Quote(key, maxQuoted), best)
}

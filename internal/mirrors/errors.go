package mirrors

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
)

// maxQuoted bounds a quotation from a file, in bytes.
const maxQuoted = 120

// An Error reports a file that is malformed.
type Error struct {
	Position        // Line is 0 for the whole file
	Msg      string // one line of ASCII
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

func quote(s string) string { return printable.Quote(s, maxQuoted) }

// quoteLocation is quote without a user and a password.
func quoteLocation(s string) string {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		s = "***" + s[at:]
	}
	return quote(s)
}

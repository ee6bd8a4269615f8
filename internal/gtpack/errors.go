package gtpack

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/printable"
)

// A NotPackError reports a file that is not a pack.
type NotPackError struct{ Reason string }

func (e *NotPackError) Error() string { return "not a pack: " + e.Reason }

// A MalformedError reports a pack that cannot be read, has two readings, or exceeds the
// bounds of this package.
type MalformedError struct {
	File string // in the archive; empty if the archive itself is malformed
	Err  error
}

// Error returns one line of ASCII, whatever the archive holds.
func (e *MalformedError) Error() string {
	subject := "the archive"
	if e.File != "" {
		subject = printable.Phrase(e.File, maxQuoted)
	}
	return fmt.Sprintf("%s cannot be read: %s", subject, printable.Line(e.Err.Error(), maxMessage))
}

func (e *MalformedError) Unwrap() error { return e.Err }

// Bounds on quotations from an archive and from a library's message, in bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

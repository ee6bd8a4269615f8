package gtpack

import (
	"fmt"

	"github.com/greenticai/packvendor/internal/printable"
)

// A NotPackError reports a file that is no pack.
type NotPackError struct{ Reason string }

func (e *NotPackError) Error() string { return "not a pack: " + e.Reason }

// A MalformedError reports a pack that cannot be read, or could be read in two
// ways, or exceeds the bounds of this package.
type MalformedError struct {
	File string // in the archive; empty if it is about the archive itself
	Err  error
}

// Error is one line of ASCII, whatever the archive holds.
func (e *MalformedError) Error() string {
	subject := "the archive"
	if e.File != "" {
		subject = printable.Phrase(e.File, maxQuoted)
	}
	return fmt.Sprintf("%s cannot be read: %s", subject, printable.Line(e.Err.Error(), maxMessage))
}

func (e *MalformedError) Unwrap() error { return e.Err }

// Bounds of what an error repeats of an archive or of a library's message, in
// bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

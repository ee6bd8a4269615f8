package gtpack

import (
	"fmt"
	"strings"
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
		subject = printable(e.File)
	}
	return fmt.Sprintf("%s cannot be read: %s", subject, shorten(escape(e.Err.Error())))
}

func (e *MalformedError) Unwrap() error { return e.Err }

// Bounds of what an error repeats of an archive or of a library's message, in
// bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

// quoted is a foreign string in quotation marks, its end cut off if it is long.
func quoted(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%+q...", s[:maxQuoted])
	}
	return fmt.Sprintf("%+q", s)
}

// printable is s, quoted if it is long or holds anything but printable ASCII.
func printable(s string) string {
	if q := quoted(s); q != `"`+s+`"` {
		return q
	}
	return s
}

// escape returns s with every character that is not printable ASCII escaped.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if ' ' <= r && r <= '~' {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(fmt.Sprintf("%+q", r), "'"))
	}
	return b.String()
}

func shorten(message string) string {
	if len(message) > maxMessage {
		return message[:maxMessage] + "..."
	}
	return message
}

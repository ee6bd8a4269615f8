package packsfile

import (
	"fmt"
	"strings"
)

// Bounds of what a message repeats of the file or of another package's message, in
// bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

// A SyntaxError reports a file that is not TOML, or that is TOML of a size or
// nesting which no packs.toml needs.
type SyntaxError struct {
	File string
	Line int // 1-based; 0 where the whole file is meant
	Msg  string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// An Error is one thing in a packs.toml that makes no sense.
type Error struct {
	File string
	Line int    // 1-based
	Key  string // what it is about: "packs.NAME", "embed.file"; empty for the file itself
	Msg  string // ASCII

	// Unpinned is the pack's name where the problem is exactly that its
	// reference has a tag alone and nothing allows tags; otherwise empty.
	Unpinned string
	Ref      string // that reference, in packs.toml's words

	// Newer tells that this is a table which a newer packvendor may know.
	Newer bool
	// GoName is the pack's Go name where the problem is exactly that it is not
	// free; otherwise empty.
	GoName string
}

func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s: %s", e.File, e.Line, e.Key, e.Msg)
}

// Errors are all problems of one file, in the order of its lines.
type Errors []*Error

// Error returns one line for each problem.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single *Error.
func (es Errors) Unwrap() []error {
	errs := make([]error, len(es))
	for i, e := range es {
		errs[i] = e
	}
	return errs
}

// OnlyUnpinned reports whether there are problems and all of them are packs
// that lack a pin.
func (es Errors) OnlyUnpinned() bool {
	for _, e := range es {
		if e.Unpinned == "" {
			return false
		}
	}
	return len(es) > 0
}

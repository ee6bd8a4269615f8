package packsfile

import (
	"fmt"
	"strings"
)

// Bounds on quotations from the file and from another package's message, in bytes.
const (
	maxQuoted  = 120
	maxMessage = 400
)

// A SyntaxError reports a file that is not TOML, or whose size or nesting no packs.toml
// needs.
type SyntaxError struct {
	File string
	Line int // 1-based; 0 for the whole file
	Msg  string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// An Error is one problem in a packs.toml.
type Error struct {
	File string
	Line int    // 1-based
	Key  string // "packs.NAME", "embed.file"; empty for the file itself
	Msg  string // ASCII

	// Unpinned is the pack's name if the problem is exactly this: its reference has a
	// tag alone and nothing allows tags; otherwise empty.
	Unpinned string
	Ref      string // that reference, as in packs.toml

	// Newer reports that a newer packvendor may know this table.
	Newer bool
	// GoName is the pack's Go name if the problem is exactly that it is taken;
	// otherwise empty.
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

// OnlyUnpinned reports whether there are problems and all of them are packs that lack a
// pin.
func (es Errors) OnlyUnpinned() bool {
	for _, e := range es {
		if e.Unpinned == "" {
			return false
		}
	}
	return len(es) > 0
}

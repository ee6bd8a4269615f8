package lockfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
)

// maxErrors bounds the report on a file that is not a packs.lock at all.
const maxErrors = 100

// An Error is one fault in a packs.lock.
type Error struct {
	File string
	Line int    // 1-based
	Key  string // the wrong key; "" if the fault is in no single key
	Msg  string // complete without Key

	// Newer reports that a newer packvendor may have written the line.
	Newer bool
	// Conflict reports that the line is a marker of an unresolved merge.
	Conflict bool
	// Merged reports that packvendor's merge driver wrote the markers: then no version of the
	// file that git has holds what is merged outside of them.
	Merged bool
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg) }

// Errors are all the faults of one file, by line. There is at least one.
type Errors []*Error

// Error returns one line for each fault.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single *Error.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// byLine sorts e and cuts it at maxErrors.
func (e Errors) byLine() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	if len(e) > maxErrors {
		last := e[maxErrors]
		e = append(e[:maxErrors:maxErrors], &Error{File: last.File, Line: last.Line, Msg: "too many errors"})
	}
	return e
}

// An InconsistentError reports an entry that contradicts itself or a known fact:
// another program or a person changed the lock.
type InconsistentError struct {
	File  string // "" is packs.lock
	Line  int    // of the pack in it; 0 if unknown
	Name  string // of the pack
	Field string // the key that is wrong
	Got   string // its value; "" if it is absent
	By    string // the contradiction, such as "ref pins"; with Want it reads as one clause
	Want  string // the correct value; "" if By says everything
}

func (e *InconsistentError) Error() string {
	got := "missing"
	if e.Got != "" {
		got = printable.Word(e.Got, maxText)
	}
	msg := fmt.Sprintf("%s: %s: %s is %s, but %s", e.place(), printable.Word(e.Name, maxText), e.Field, got, e.By)
	if e.Want != "" {
		msg += " " + printable.Word(e.Want, maxText)
	}
	return msg
}

// At is the same error about an entry that stands there.
func (e *InconsistentError) At(file string, line int) *InconsistentError {
	at := *e
	at.File, at.Line = file, line
	return &at
}

func (e *InconsistentError) place() string {
	file := cmp.Or(e.File, "packs.lock")
	if e.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, e.Line)
}

package sources

import (
	"errors"
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/verified"
)

// An Error reports that no source has what was asked for. It wraps the error of the origin,
// or of what has its place; that is the last attempt.
type Error struct {
	Attempts []Attempt // one or more
	// Refused says that the last attempt was denied with 401 or 403, so that nobody else was
	// asked.
	Refused bool
}

// A Rule is a table [[registry]] of a file.
type Rule struct {
	Prefix string // of the references that it matches
	File   string
	Line   int
}

func newRule(r *mirrors.Rule) *Rule {
	if r == nil {
		return nil
	}
	return &Rule{Prefix: r.Prefix, File: r.File, Line: r.Line}
}

// A BlockedError reports a reference that a rule blocks, or of which it leaves no source.
type BlockedError struct {
	Reference string
	Rule
}

func newBlockedError(ref ociref.Reference, rule *mirrors.Rule) *BlockedError {
	return &BlockedError{ref.String(), *newRule(rule)}
}

func (e *BlockedError) Error() string {
	return fmt.Sprintf("%s:%d: %s is blocked, as everything below %s", e.File, e.Line, e.Reference, printable.Word(e.Prefix, maxQuoted))
}

// maxQuoted bounds the bytes of a file's text in a message.
const maxQuoted = 120

// An Attempt is one source that was asked, and its error.
type Attempt struct {
	Source
	File string // that names the source; "" for the origin
	Line int
	Err  error
}

func (e *Error) Error() string {
	text := "no source gives it"
	if e.Refused {
		text = "a source refuses it, so no other is asked"
	}
	for _, a := range e.Attempts {
		text += "\n\t" + strings.ReplaceAll(a.String(), "\n", "\n\t")
	}
	return text
}

func (e *Error) Unwrap() error { return e.Attempts[len(e.Attempts)-1].Err }

func (a Attempt) String() string {
	text := string(a.Role) + " " + a.Place
	if a.File != "" {
		text += fmt.Sprintf(" (%s:%d)", a.File, a.Line)
	}
	return text + ": " + a.Err.Error()
}

// newError returns the error of all attempts; of the origin's alone, it is that one.
func newError(attempts []Attempt) error {
	var sorted, origin []Attempt
	for _, a := range attempts {
		if a.Role == Origin {
			origin = append(origin, a)
		} else {
			sorted = append(sorted, a)
		}
	}
	last := attempts[len(attempts)-1]
	if sorted == nil {
		return last.Err
	}
	if isRefused(last.Err) {
		return &Error{Attempts: attempts, Refused: true}
	}
	return &Error{Attempts: append(sorted, origin...)}
}

// isRefused reports whether a source refuses whoever asks. A proxy may be there to do that,
// so nobody else is asked.
func isRefused(err error) bool {
	var e *registry.Error
	return errors.As(err, &e) && e.IsDenied()
}

// mayBeElsewhere reports whether another source may do better: after any failure of a source but
// a refusal. A failure on this machine is none of a source.
func mayBeElsewhere(err error) bool {
	return isSuspect(err) || errors.As(err, new(*registry.Error)) && !isRefused(err)
}

// isSuspect reports whether an honest source does not answer so.
func isSuspect(err error) bool {
	var e *registry.Error
	return isWrong(err) || errors.As(err, new(*registry.ProtocolError)) || errors.As(err, &e) && e.IsRefusal()
}

// isWrong reports whether bytes are not those that were asked for.
func isWrong(err error) bool { return errors.As(err, new(*verified.MismatchError)) }

// Package problem says of an error how grave it is, which line is to blame, and what to
// do about it.
package problem

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// A Kind is a class of problems. Of several problems in one command the gravest, which
// is the greatest, decides the exit code.
type Kind int

const (
	None        Kind = iota // nothing is wrong
	Drift                   // files do not agree
	Usage                   // a command line or a file of the user's cannot be obeyed
	Network                 // a registry cannot be asked, or does not answer
	Storage                 // a file cannot be read or written; or anything else
	Integrity               // bytes are not those that were promised
	Interrupted             // the user ended it
)

// ExitCode is the exit code for a kind; for Interrupted, the one that a shell reports of
// SIGINT.
func (k Kind) ExitCode() int { return [...]int{0, 1, 2, 3, 5, 4, 130}[k] }

// A Problem is one error, ready to be printed.
type Problem struct {
	Kind Kind
	Text string
	File string // the file that is to blame; "" if none is
	Line int    // in File; 0 if that is not known
	Hint hint.Hint
	Then hint.Hint // what to do after Hint, which has shown something; mostly none

	advice string // for the end of Text
	alone  bool   // Hint is of no use beside any other problem
	pin    bool   // Hint adds a pin, which is refused while the file has other problems
}

// A UsageError reports a command line that makes no sense.
type UsageError struct {
	Err  error
	Help []string // the command that explains how it is used; nil if it would not
}

func (e *UsageError) Error() string { return e.Err.Error() }

// Worst is the gravest kind of all problems.
func Worst(problems []Problem) Kind {
	worst := None
	for _, p := range problems {
		worst = max(worst, p.Kind)
	}
	return worst
}

// An Explainer makes problems of errors.
type Explainer struct {
	Hints        *hint.Context
	Certificates string // $SSL_CERT_FILE
}

// Explain returns the problems of an error, one for each error that it joins; none for
// nil.
func (x Explainer) Explain(err error) []Problem {
	if err == nil {
		return nil
	}
	var problems []Problem
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []Problem{x.explain(err)}
	}
	for _, e := range joined.Unwrap() {
		problems = append(problems, x.Explain(e)...)
	}
	errs, isFile := err.(packsfile.Errors)
	for i, p := range problems {
		if p.alone && len(problems) > 1 || p.pin && isFile && !errs.OnlyUnpinned() {
			problems[i].Hint = hint.Hint{}
		}
	}
	return problems
}

// explain returns the problem of a single error, by the rules for the types in its
// chain.
func (x Explainer) explain(err error) Problem {
	pack := &vendorer.PackError{}
	errors.As(err, &pack)
	p := Problem{Text: err.Error()}
	for _, rule := range x.rules(pack) {
		p.add(rule(err))
	}
	switch {
	case errors.Is(err, context.Canceled):
		p.Kind, p.Text = Interrupted, "interrupted"
	case p.Kind == None, errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE): // whatever it was that needed a descriptor
		p.Kind = Storage
	}
	return p
}

// JSON is a problem in a document.
type JSON struct {
	Code    int    `json:"code"`           // the exit code of this problem alone
	Message string `json:"message"`        // the text after "packvendor: error: "
	Hint    string `json:"hint,omitempty"` // the next command, or the line for packs.toml
	Then    string `json:"then,omitempty"` // what the hint shows is what this accepts
}

// NewJSON returns problems for a document, never nil.
func NewJSON(problems []Problem, hints *hint.Context) []JSON {
	list := []JSON{}
	for _, p := range problems {
		list = append(list, JSON{Code: p.Kind.ExitCode(), Message: p.Text, Hint: hints.Text(p.Hint), Then: hints.Text(p.Then)})
	}
	return list
}

// FailureJSON is what went wrong, in a document.
type FailureJSON struct {
	Code     int    `json:"code"`     // the exit code
	Message  string `json:"message"`  // the messages of all problems, a line each
	Problems []JSON `json:"problems"` // one after the other, as the text shows them
}

// NewFailureJSON returns nil if there is no problem.
func NewFailureJSON(problems []Problem, hints *hint.Context) *FailureJSON {
	if len(problems) == 0 {
		return nil
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Text)
	}
	return &FailureJSON{Code: Worst(problems).ExitCode(), Message: strings.Join(texts, "\n"), Problems: NewJSON(problems, hints)}
}

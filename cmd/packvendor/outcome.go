package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
)

// An outcome is what a command has found out, and how it ends.
type outcome struct {
	problems      []problem
	code          int       // the least exit code
	hint          hint.Hint // what to do next, besides the hints of problems; none for nothing
	document      any       // for --json
	before, after string    // for standard output, before and after the problems
}

// exitCode is the exit code of the command.
func (o outcome) exitCode() int {
	code := o.code
	for _, p := range o.problems {
		code = worse(code, p.code)
	}
	return code
}

// end prints an outcome. Its error is what kept it from being printed, or a
// *toldError.
func (c *cli) end(o outcome) error {
	code := o.exitCode()
	c.progress.stop()
	c.annotate(o.problems)
	err := c.show(o)
	switch {
	case code == 0:
		return err
	case err != nil:
		c.say.error(err.Error())
		code = worse(code, exitStorage)
	}
	return &toldError{code: code}
}

func (c *cli) show(o outcome) error {
	if c.json {
		return c.printJSON(o.document)
	}
	if err := c.print("%s", o.before); err != nil {
		return err
	}
	if c.quiet && len(o.problems) == 0 {
		o.hint = hint.Hint{} // there is neither a warning nor an error that it belongs to
	}
	c.tell(o.problems, o.hint)
	return c.print("%s", o.after)
}

// tell prints every problem, then every hint once.
func (c *cli) tell(problems []problem, next hint.Hint) {
	for _, p := range problems {
		c.say.once(c.say.error, "error: ", p.text)
	}
	var hints, seconds []hint.Hint
	for _, p := range problems {
		hints, seconds = append(hints, p.hint), append(seconds, p.then)
	}
	for _, h := range slices.Concat(hint.Merge(hints), hint.Merge(seconds), hint.Merge([]hint.Hint{next})) {
		c.say.once(func(text string) { c.say.line(cyan, "hint: ", text) }, "hint: ", c.say.hints.Text(h))
	}
}

// fail tells an error and returns its exit code; 0 if there is none.
func (c *cli) fail(err error) int {
	if err == nil {
		return 0
	}
	var told *toldError
	if errors.As(err, &told) {
		return told.code
	}
	if isAny(err, []any{new(*usageError)}) {
		c.json = c.json || wantsJSON(append(strings.Fields(c.getenv("PACKVENDOR_FLAGS")), c.args...))
	}
	problems := c.explain(err)
	return c.fail(c.end(outcome{problems: problems, document: errorJSON{Error: c.newFailureJSON(problems)}}))
}

// A toldError is how a command ends whose errors are told already.
type toldError struct{ code int }

func (e *toldError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// problemJSON is a problem with --json.
type problemJSON struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Then    string `json:"then,omitempty"` // what the hint shows is what this accepts
}

func (c *cli) problemsJSON(problems []problem) []problemJSON {
	list := []problemJSON{}
	for _, p := range problems {
		list = append(list, problemJSON{Code: p.code, Message: p.text, Hint: c.say.hints.Text(p.hint), Then: c.say.hints.Text(p.then)})
	}
	return list
}

// failureJSON is what went wrong, with --json.
type failureJSON struct {
	Code     int           `json:"code"`
	Message  string        `json:"message"`
	Problems []problemJSON `json:"problems"`
}

// newFailureJSON returns nil if there is no problem.
func (c *cli) newFailureJSON(problems []problem) *failureJSON {
	if len(problems) == 0 {
		return nil
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.text)
	}
	return &failureJSON{Code: outcome{problems: problems}.exitCode(), Message: strings.Join(texts, "\n"), Problems: c.problemsJSON(problems)}
}

// errorJSON is the document of a failed command with --json.
type errorJSON struct {
	Error *failureJSON `json:"error"`
}

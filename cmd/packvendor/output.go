package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/internal/printable"
)

// An outcome is the result of a command: its data and its problems.
type outcome struct {
	problems      []problem.Problem
	kind          problem.Kind // the least of what is wrong
	hints         []hint.Hint  // what to do next, besides the hints of problems
	document      any          // for --json
	before, after string       // for standard output, before and after the problems
}

// result is the gravest kind of problem, at least o.kind.
func (o outcome) result() problem.Kind { return max(o.kind, problem.Worst(o.problems)) }

// end prints an outcome. It returns an *exitError, or the error of a failed write.
func (c *cli) end(o outcome) error {
	kind := o.result()
	c.progress.Stop()
	c.say.Annotate(o.problems)
	err := c.show(o)
	switch {
	case kind == problem.None:
		return err
	case err != nil:
		c.say.Error(err.Error())
		kind = max(kind, problem.Storage)
	}
	return &exitError{kind: kind}
}

func (c *cli) show(o outcome) error {
	if c.json {
		return c.printJSON(o.document)
	}
	if err := c.print("%s", o.before); err != nil {
		return err
	}
	c.say.Tell(o.problems, o.hints...)
	return c.print("%s", o.after)
}

// fail prints an error, if there is one, and returns its kind.
func (c *cli) fail(err error) problem.Kind {
	if err == nil {
		return problem.None
	}
	var told *exitError
	if errors.As(err, &told) {
		return told.kind
	}
	if errors.As(err, new(*problem.UsageError)) {
		c.json = c.json || wantsJSON(append(strings.Fields(c.getenv("PACKVENDOR_FLAGS")), c.args...))
	}
	problems := c.explain(err)
	return c.fail(c.end(outcome{problems: problems, document: errorJSON{Error: c.newFailureJSON(problems)}}))
}

// An exitError ends a command whose errors are printed already.
type exitError struct{ kind problem.Kind }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.kind.ExitCode()) }

// explain returns the problems of an error; none if it is nil.
func (c *cli) explain(err error) []problem.Problem {
	return problem.Explainer{Hints: &c.say.Hints, Certificates: c.getenv("SSL_CERT_FILE")}.Explain(err)
}

func (c *cli) problemsJSON(problems []problem.Problem) []problem.JSON {
	return problem.NewJSON(problems, &c.say.Hints)
}

// newFailureJSON returns nil if there is no problem.
func (c *cli) newFailureJSON(problems []problem.Problem) *problem.FailureJSON {
	return problem.NewFailureJSON(problems, &c.say.Hints)
}

// errorJSON is the document of a failed command with --json.
type errorJSON struct {
	Error *problem.FailureJSON `json:"error"` // what went wrong
}

// print writes data for standard output, which may be the terminal where the line
// of the progress stands.
func (c *cli) print(format string, args ...any) error {
	c.progress.Stop()
	text := fmt.Sprintf(format, args...)
	if text == "" {
		return nil
	}
	if c.batch != nil {
		text = c.batch.heading(c.section) + text
	}
	_, err := io.WriteString(c.stdout, safe.Log(text))
	return err
}

func (c *cli) printJSON(doc any) error {
	if c.batch != nil {
		c.batch.latest().document = doc
		return nil
	}
	text, err := printable.MarshalJSON(doc, "", "  ")
	if err != nil {
		return err
	}
	return c.print("%s\n", text)
}

// An output is standard output; it keeps the first error of a write.
type output struct {
	w   io.Writer
	err error // the first
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// Package checkup looks at a project and the machine around it, and says in a line each
// what may trouble packvendor. It shows no secret and starts no credential helper. To see
// whether it can write the cache, it makes a temporary file and removes it: nothing else
// is written.
package checkup

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

// A Level is the gravity of a check's result.
type Level string

const (
	OK      Level = "ok"
	Warning Level = "warning" // packvendor works, with some of its commands or for a time
	Error   Level = "error"   // packvendor fails
)

// A Check is the result of one look.
type Check struct {
	Level         Level
	Subject, Text string
	Kind          problem.Kind // the one with which packvendor fails; None but for an Error
	Hint          hint.Hint    // what mends it; mostly none
}

// Options say where to look. All fields but FlagsErr and AuthErr are needed.
type Options struct {
	Project   vendorer.Options
	Program   string   // packvendor's version and the way it was started
	InCI      bool     // whether CI is true
	Flags     []string // flags that PACKVENDOR_FLAGS sets, as they may be shown
	FlagsErr  error    // about PACKVENDOR_FLAGS
	AuthErr   error    // about PACKVENDOR_AUTH
	Anonymous bool     // whether PACKVENDOR_AUTH turns credentials off
	Getenv    func(string) string
	Explain   func(error) []problem.Problem
	Hints     *hint.Context
	Remote    bool // whether to ask each registry
}

// A checkup is one run of all checks.
type checkup struct {
	Options
	examination *vendorer.Examination
	checks      []Check
}

// Run makes all checks. The error is the cause of ctx's end.
func Run(ctx context.Context, o Options) ([]Check, error) {
	c := &checkup{Options: o}
	c.ok("packvendor", o.Program)
	c.system()
	c.flags()
	c.goTool(ctx)
	c.git(ctx)
	if err := c.project(ctx); err != nil {
		return nil, err
	}
	c.cache()
	if err := c.network(ctx); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c.FlagsErr != nil || c.AuthErr != nil {
		c.keepHints(flagsSubject)
	}
	return c.checks, nil
}

// keepHints drops the hints of all other checks: their commands would fail as well.
func (c *checkup) keepHints(subject string) {
	for i := range c.checks {
		if c.checks[i].Subject != subject {
			c.checks[i].Hint = hint.Hint{}
		}
	}
}

func (c *checkup) ok(subject, text string) {
	c.checks = append(c.checks, Check{Level: OK, Subject: subject, Text: text})
}

func (c *checkup) warn(subject, text string, h hint.Hint) {
	c.checks = append(c.checks, Check{Level: Warning, Subject: subject, Text: text, Hint: h})
}

// fail adds an error for each problem of err. What the next run mends is a warning.
func (c *checkup) fail(subject string, err error) {
	if errors.As(err, new(*vendorer.BusyError)) {
		c.warn(subject, err.Error(), hint.Hint{})
		return
	}
	for _, p := range c.Explain(err) {
		if p.Kind == problem.Drift {
			c.warn(subject, oneLine(p.Text), p.Hint)
			continue
		}
		c.checks = append(c.checks, Check{Level: Error, Subject: subject, Text: oneLine(p.Text), Kind: p.Kind, Hint: p.Hint})
	}
}

// failOnce adds the gravest problem of err, and counts the others, each about a noun.
func (c *checkup) failOnce(subject, noun string, err error) {
	first := len(c.checks)
	c.fail(subject, err)
	found := slices.Clone(c.checks[first:])
	worst := slices.MaxFunc(found, func(a, b Check) int { return cmp.Compare(a.Kind, b.Kind) })
	if n := len(found) - 1; n > 0 {
		worst.Text += "; and " + phrase.Count(n, "more "+noun)
	}
	c.checks = append(c.checks[:first], worst)
}

// oneLine joins the lines of a message.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n\t", "; ") }

// programTime bounds the time in which a program says its version.
const programTime = 10 * time.Second

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// Exit codes.
const (
	exitDrift       = 1
	exitUsage       = 2
	exitNetwork     = 3
	exitIntegrity   = 4
	exitStorage     = 5
	exitInterrupted = 130 // as a shell reports SIGINT
)

// exitWeight orders exit codes where one invocation earned several: integrity
// first, drift last.
var exitWeight = map[int]int{exitInterrupted: 6, exitIntegrity: 5, exitStorage: 4, exitNetwork: 3, exitUsage: 2, exitDrift: 1}

// A problem is one error as it is told: what it is, its exit code, and what to
// do about it.
type problem struct {
	code int
	text string
	hint string // "" if there is nothing to say
}

// problemJSON is a problem with --json.
type problemJSON struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// errorJSON is the document of a failed command with --json.
type errorJSON struct {
	Error struct {
		Code     int           `json:"code"`
		Message  string        `json:"message"`
		Problems []problemJSON `json:"problems"`
	} `json:"error"`
}

// A findingsError is a verification that found something.
type findingsError struct {
	v          *vendorer.Verification
	unembedded string
}

func (e *findingsError) Error() string { return errors.Join(e.v.Findings...).Error() }

// fail tells an error and returns its exit code.
func (c *cli) fail(err error) int {
	var found *findingsError
	if errors.As(err, &found) {
		err = errors.Join(found.v.Findings...)
	}
	if isAny(err, []any{new(*usageError)}) {
		c.json = c.json || c.wantsJSON()
	}
	problems := c.explain(err)
	code := 0
	for _, p := range problems {
		if exitWeight[p.code] > exitWeight[code] {
			code = p.code
		}
	}
	var printErr error
	switch {
	case c.json && found != nil:
		printErr = c.printJSON(verifyJSON{Packs: found.v.Packs, Findings: problemsJSON(problems), Unembedded: found.unembedded})
	case c.json:
		printErr = c.printErrorJSON(code, problems)
	default:
		c.tell(problems)
		if found != nil {
			printErr = c.printDiffs(found.v.Findings)
		}
	}
	if printErr != nil {
		c.say.error(printErr.Error())
	}
	return code
}

func (c *cli) printErrorJSON(code int, problems []problem) error {
	var doc errorJSON
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.text)
	}
	doc.Error.Code, doc.Error.Message, doc.Error.Problems = code, strings.Join(texts, "\n"), problemsJSON(problems)
	return c.printJSON(doc)
}

func problemsJSON(problems []problem) []problemJSON {
	list := []problemJSON{}
	for _, p := range problems {
		list = append(list, problemJSON{Code: p.code, Message: p.text, Hint: p.hint})
	}
	return list
}

// tell prints every problem, then every hint once.
func (c *cli) tell(problems []problem) {
	said := map[string]bool{"": true}
	for _, p := range problems {
		c.say.error(p.text)
	}
	for _, hint := range mergedHints(problems) {
		if !said[hint] {
			c.say.hint(hint)
			said[hint] = true
		}
	}
}

// printDiffs prints what was changed in generated files, by anybody: what is not
// printable is escaped.
func (c *cli) printDiffs(findings []error) error {
	for _, finding := range findings {
		var generated *vendorer.GeneratedError
		if !errors.As(finding, &generated) {
			continue
		}
		if err := c.print("%s", escaped(generated.Diff)); err != nil {
			return err
		}
	}
	return nil
}

// escaped is s with what is neither printable ASCII nor white space of a text
// escaped as in Go.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\t' || r == '\n' || ' ' <= r && r <= '~' {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// explain returns the problems of an error, one for each of those it joins.
func (c *cli) explain(err error) []problem {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []problem
		for _, e := range joined.Unwrap() {
			all = append(all, c.explain(e)...)
		}
		return all
	}
	return []problem{{code: exitCode(err), text: textOf(err), hint: c.say.hintFor(err)}}
}

// textOf is an error in words, where it has better ones than its own.
func textOf(err error) string {
	var pack *vendorer.PackError
	var registry *packfetch.RegistryError
	switch {
	case exitCode(err) == exitInterrupted:
		return "interrupted"
	case errors.As(err, &pack) && errors.As(err, &registry) && isGone(pack, registry):
		gone := *pack
		gone.Err = fmt.Errorf("what is locked is gone from the registry\n\t%w", registry)
		return gone.Error()
	}
	return err.Error()
}

// exitCode returns the exit code of a single error.
func exitCode(err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case isAny(err, []any{
		new(*vendorer.InconsistentError), new(*vendorer.RetagError), new(*packfetch.DigestMismatchError),
		new(*packfetch.CorruptCacheError), new(*packfetch.ManifestError), new(*packfetch.ProtocolError),
	}):
		return exitIntegrity
	case isVendored(err):
		return vendoredCode(err)
	case isAny(err, []any{new(*packfetch.StorageError)}):
		return exitStorage
	case isAny(err, []any{new(*packfetch.RegistryError), new(*packfetch.OfflineError)}):
		return exitNetwork
	case isAny(err, []any{new(*vendorer.LockedError), new(*vendorer.GeneratedError), new(*vendorer.EmbedError)}):
		return exitDrift
	case isAny(err, []any{
		new(*usageError), new(*packsfile.SyntaxError), new(*packsfile.Error), new(*lockfile.Error),
		new(*vendorer.NoProjectError), new(*vendorer.NoModuleError), new(*vendorer.PlaceError),
		new(*vendorer.PackageNameError), new(*vendorer.ClashError), new(*vendorer.UnknownPackError),
		new(*vendorer.TooLargeError), new(*vendorer.EditError), new(*packfetch.InvalidReferenceError),
		new(*packfetch.TagDisallowedError), new(*packfetch.NoPackError), new(*packfetch.IndexError),
		new(*packfetch.OptionError),
	}):
		return exitUsage
	}
	return exitStorage
}

// isAny tells whether err is of the type of one of targets, which are as for
// errors.As.
func isAny(err error, targets []any) bool {
	for _, target := range targets {
		if errors.As(err, target) {
			return true
		}
	}
	return false
}

func isVendored(err error) bool { return isAny(err, []any{new(*vendorer.VendoredError)}) }

// vendoredCode: a missing file is drift, other bytes are not.
func vendoredCode(err error) int {
	var vendored *vendorer.VendoredError
	if errors.As(err, &vendored) && vendored.Got == "" {
		return exitDrift
	}
	return exitIntegrity
}

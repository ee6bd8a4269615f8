package checkup

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *checkup) system() {
	text := runtime.GOOS + "/" + runtime.GOARCH
	if c.InCI {
		text += "; CI is true: packvendor without a command has --locked"
	}
	c.ok("system", text)
}

// flagsSubject is the subject of checks of PACKVENDOR_FLAGS and PACKVENDOR_AUTH.
const flagsSubject = "flags"

// flags are the variables that change how commands work, if they are set.
func (c *checkup) flags() {
	const flags, auth = "PACKVENDOR_FLAGS", "PACKVENDOR_AUTH"
	switch {
	case c.FlagsErr != nil:
		c.variable(flags, c.FlagsErr)
	case len(c.Flags) > 0:
		c.ok(flagsSubject, flags+" sets "+strings.Join(c.Flags, " "))
	}
	if c.AuthErr != nil {
		c.variable(auth, c.AuthErr)
	}
}

// variable adds an error about a variable's value.
func (c *checkup) variable(name string, err error) {
	c.fail(flagsSubject, err)
	c.checks[len(c.checks)-1].Hint = hint.Line("unset %s", name)
}

func (c *checkup) goTool(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	tool := vendorer.ExamineGo(ctx, c.Project)
	switch {
	case errors.Is(tool.Err, exec.ErrNotFound):
		c.warn("go", "not found in PATH: verify cannot check which files it embeds", hint.Hint{})
	case tool.Err != nil:
		c.warn("go", oneLine(tool.Err.Error()), hint.Hint{})
	default:
		c.ok("go", phrase.Join("; ", tool.Version, neededText(tool.Needed)))
	}
}

func neededText(version string) string {
	if version == "" {
		return ""
	}
	return "go.mod is for Go " + version
}

func (c *checkup) git(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	version, err := vendorer.GitVersion(ctx)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		c.warn("git", "not found in PATH: diff needs it to compare with a revision", hint.Hint{})
	case err != nil:
		c.warn("git", err.Error(), hint.Hint{})
	default:
		c.ok("git", version)
	}
}

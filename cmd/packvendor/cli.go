package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/console"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/terminal"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// A cli is one invocation of the command.
type cli struct {
	process
	root     *cobra.Command
	say      *console.Printer
	progress *terminal.Line
	waiting  *terminal.Waiting
	started  time.Time
	batch    *batch // nil where the command works on one packs.toml, or none

	// section is what precedes the data about one of several files; nil where the
	// data names it.
	section func(file string) string

	// Flags that several commands have.
	files                   []string // -f: names and patterns; none means the nearest
	cacheDir                string
	jobs                    int
	locked, offline, frozen bool
	quiet, verbose, json    bool

	preset      []string // names of the flags that PACKVENDOR_FLAGS sets
	presetFiles int      // how many of files it sets
}

// now is the time, by the process's clock.
func (c *cli) now() time.Time {
	if c.waits.now == nil {
		return time.Now()
	}
	return c.waits.now()
}

// elapsed is how long the command has been at work.
func (c *cli) elapsed() time.Duration { return c.now().Sub(c.started) }

// hasColours tells whether standard error is a terminal that shows colours, to
// someone who wants them: https://no-color.org
func (c *cli) hasColours() bool {
	return c.getenv("NO_COLOR") == "" && terminal.IsCapable(c.stderr, c.getenv("TERM"))
}

func newCLI(p process) *cli {
	c := &cli{process: p, section: textSection}
	c.root = c.rootCommand()
	c.group("Packs of a project:", c.initCommand(), c.addCommand(), c.removeCommand(), c.updateCommand(),
		c.outdatedCommand(), c.listCommand(), c.verifyCommand(), c.diffCommand())
	c.group("Any pack:", c.versionsCommand(), c.inspectCommand(), c.fetchCommand())
	c.group("This machine:", c.authCommand(), c.cacheCommand(), c.completionCommand(), c.versionCommand())
	c.root.SetHelpCommandGroupID("This machine:")
	c.root.InitDefaultHelpCmd()
	c.root.SetOut(p.stdout)
	c.root.SetErr(p.stderr)
	c.started = c.now()
	c.progress = terminal.NewLine(c.stderr, c.now, c.getenv("TERM"))
	c.say = &console.Printer{Stderr: p.stderr, Line: c.progress, Colours: c.hasColours(), Getenv: p.getenv, Hints: hint.Context{Form: p.form}}
	c.waiting = terminal.NewWaiting(c.say.Notice, c.waits.after)
	return c
}

// group adds commands that help lists under a title.
func (c *cli) group(title string, commands ...*cobra.Command) {
	c.root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, command := range commands {
		command.GroupID = title
		c.root.AddCommand(command)
	}
}

// usagef is about a command line that makes no sense.
func usagef(format string, args ...any) error {
	return &problem.UsageError{Err: fmt.Errorf(format, args...)}
}

// misuse is about one that --help of the command explains.
func misuse(command *cobra.Command, format string, args ...any) error {
	return &problem.UsageError{Err: fmt.Errorf(format, args...), Help: helpWords(command)}
}

// helpWords are the words of the command line that explains a command.
func helpWords(command *cobra.Command) []string {
	return append(strings.Fields(command.CommandPath())[1:], "--help")
}

// options are the flags and the environment as vendorer knows them. Editing
// commands are never locked.
func (c *cli) options() vendorer.Options {
	return vendorer.Options{
		Offline:   c.offline,
		CacheDir:  c.cacheDir,
		Jobs:      c.jobs,
		Getenv:    c.getenv,
		UserAgent: "packvendor/" + version(),
		Events:    c.event,
		Progress:  c.watch(),
		LockWait:  c.waits.lock,
		Fetch: packfetch.Options{
			Keychain: c.keychain(),
			Stall:    c.waits.stall,
			Sleep:    c.waits.sleep,
			Underway: c.waiting.Underway,
		},
	}
}

// event says what happened during a run.
func (c *cli) event(e vendorer.Event) {
	c.waiting.Event(e)
	c.say.Event(e)
}

// watch returns what is to be told of a run's progress.
func (c *cli) watch() func(vendorer.Progress) {
	if bar := c.progress.Watch(); bar != nil {
		return bar
	}
	return c.waiting.Advance
}

// keychain is where the user's credentials are.
func (c *cli) keychain() packfetch.Keychain {
	if c.isAnonymous() {
		return forbidden{}
	}
	return c.waiting.Keychain(packfetch.UserKeychain(c.getenv, c.waits.helper))
}

// forbidden is the keychain of a user who forbids the use of credentials.
type forbidden struct{}

func (forbidden) Find(context.Context, string) (*packfetch.Credentials, error) {
	return nil, errors.New("PACKVENDOR_AUTH=anonymous forbids their use")
}

// isAnonymous tells whether the user forbids the use of credentials.
func (c *cli) isAnonymous() bool { return c.getenv("PACKVENDOR_AUTH") == "anonymous" }

// isLocked is the value of --locked, or where it is not given, whether this is
// a CI job.
func (c *cli) isLocked(flags *pflag.FlagSet) bool {
	if c.frozen || flags.Changed("locked") {
		return c.frozen || c.locked
	}
	return c.inCI()
}

func (c *cli) inCI() bool {
	ci, err := strconv.ParseBool(c.getenv("CI"))
	return err == nil && ci
}

// prepare is called when the flags are known.
func (c *cli) prepare(command *cobra.Command, _ []string) error {
	if c.jobs < 1 && flagOf(command, "jobs") != nil {
		return usagef("--jobs must be at least 1")
	}
	if auth := c.getenv("PACKVENDOR_AUTH"); auth != "" && !c.isAnonymous() {
		return usagef("PACKVENDOR_AUTH is %+q: it can be \"anonymous\", or unset", auth)
	}
	if err := c.settleVerbosity(); err != nil {
		return err
	}
	c.say.Quiet, c.say.Verbose = c.quiet, c.verbose
	c.progress.Want(!c.quiet && !c.json)
	c.waiting.Start(!c.quiet && c.progress.Watch() == nil)
	c.say.Hints.Args, c.say.Hints.Preset, c.say.Hints.InCI = c.args, c.preset, c.inCI()
	c.say.Hints.Has = func(flag string) bool { return flagOf(command, flag) != nil }
	if flagOf(command, "file") != nil {
		c.say.Hints.File = tomlName
	}
	if len(c.files) > c.presetFiles { // the command line's own take the place of the others
		c.files = c.files[c.presetFiles:]
	}
	if slices.Contains(c.files, "") {
		return usagef("-f names no file")
	}
	return nil
}

// asUsage makes of cobra's own errors what they are: usage errors, in words that
// are not Go's.
func asUsage(command *cobra.Command, err error) error {
	if errors.As(err, new(*problem.UsageError)) {
		return err
	}
	text, _, _ := strings.Cut(err.Error(), ": strconv.")
	return misuse(command, "%s", text)
}

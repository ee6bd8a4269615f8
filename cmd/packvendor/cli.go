package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/console"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
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

	// section begins the data about one of several files; nil if the data names the
	// file.
	section func(file string) string

	// Flags that several commands have.
	files                   []string // -f: names and patterns; none means the nearest
	cacheDir                string
	from                    []string // --from: bundles
	jobs                    int
	locked, offline, frozen bool
	quiet, verbose, json    bool

	preset      []string // names of the flags that PACKVENDOR_FLAGS sets
	presetFiles int      // how many of files it sets
	presetErr   error    // what is wrong with it
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

// hasColours reports whether standard error is a terminal that shows colours, to
// someone who wants them: https://no-color.org
func (c *cli) hasColours() bool {
	return c.getenv("NO_COLOR") == "" && terminal.IsCapable(c.stderr, c.getenv("TERM"))
}

func newCLI(p process) *cli {
	c := &cli{process: p, section: textSection}
	c.root = c.rootCommand()
	c.group("Packs of a project:", c.initCommand(), c.addCommand(), c.removeCommand(), c.updateCommand(),
		c.outdatedCommand(), c.listCommand(), c.verifyCommand(), c.diffCommand(), c.trustCommand(),
		c.exportCommand(), c.importCommand(), c.sbomCommand(), c.mergeDriverCommand())
	c.group("Any pack:", c.versionsCommand(), c.inspectCommand(), c.fetchCommand())
	c.group("This machine:", c.doctorCommand(), c.authCommand(), c.mirrorCommand(), c.cacheCommand(), c.completionCommand(), c.versionCommand())
	c.root.SetHelpCommandGroupID("This machine:")
	c.root.InitDefaultHelpCmd()
	for command := range everyCommand(c.root) {
		if command.ValidArgsFunction == nil && !command.HasSubCommands() {
			command.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
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

// execute runs the command that the arguments name. PACKVENDOR_FLAGS sets its flags
// before the command line does, which overrides them.
func (c *cli) execute(ctx context.Context) error {
	if len(c.args) > 0 && slices.Contains([]string{cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, c.args[0]) {
		c.unquoteUsage() // what a shell asks is about another command line
	} else {
		command, _, err := c.root.Find(c.args)
		if err != nil {
			return misuse(c.root, "%w", err)
		}
		c.presetErr = c.presetFlags(command)
		if c.presetErr != nil && command.Annotations[checksEnvironment] == "" {
			return c.presetErr
		}
	}
	c.root.SetArgs(append([]string{}, c.args...))
	return c.root.ExecuteContext(ctx)
}

// unquoteUsage removes the quotes that mark the name of a flag's value in its usage:
// help does that by itself, completion does not.
func (c *cli) unquoteUsage() {
	for command := range everyCommand(c.root) {
		command.LocalFlags().VisitAll(func(flag *pflag.Flag) { _, flag.Usage = pflag.UnquoteUsage(flag) })
	}
}

// options are the flags and the environment as vendorer knows them. Editing
// commands are never locked.
func (c *cli) options() vendorer.Options {
	return vendorer.Options{
		Offline:    c.offline,
		CacheDir:   c.cacheDir,
		Bundles:    c.from,
		Jobs:       c.jobs,
		Getenv:     c.getenv,
		Executable: c.executable,
		Trust:      c.trust(),
		UserAgent:  "packvendor/" + version(),
		Events:     c.event,
		Progress:   c.watch(),
		LockWait:   c.waits.lock,
		Fetch: packfetch.Options{
			Keychain: c.keychain(),
			Mirrors:  packfetch.UserMirrors(c.getenv),
			Stall:    c.waits.stall,
			Sleep:    c.waits.sleep,
			Underway: c.waiting.Underway,
		},
	}
}

// event reports an event of a run.
func (c *cli) event(e vendorer.Event) {
	c.waiting.Event(e)
	c.say.Event(e)
}

// watch returns the function to call with the progress of a run.
func (c *cli) watch() func(vendorer.Progress) {
	if bar := c.progress.Watch(); bar != nil {
		return bar
	}
	return c.waiting.Advance
}

// prepare is called when the flags are known.
func (c *cli) prepare(command *cobra.Command, _ []string) error {
	if jobs := flagOf(command, "jobs"); jobs != nil && jobs.Changed && c.jobs < 1 {
		return usagef("--jobs must be at least 1")
	}
	if err := c.authError(); err != nil && command.Annotations[checksEnvironment] == "" {
		return err
	}
	if err := c.setVerbosity(); err != nil {
		return err
	}
	c.say.Quiet, c.say.Verbose = c.quiet, c.verbose
	c.progress.Show(!c.quiet && !c.json)
	c.waiting.Start(!c.quiet && c.progress.Watch() == nil)
	c.say.Hints.Args, c.say.Hints.Preset, c.say.Hints.InCI = c.args, c.preset, c.inCI()
	c.say.Hints.Name = command.Name()
	c.say.Hints.Has = func(flag string) bool { return flagOf(command, flag) != nil }
	c.say.Hints.Sets = func(flag string) bool { f := flagOf(command, flag); return f != nil && f.Changed }
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

func (c *cli) rootCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "packvendor",
		Short: "Put Greentic packs into Go programs",
		Long: `Put Greentic packs into Go programs.

Without a command, packvendor makes packs.lock, the vendored packs and the
generated Go file agree with packs.toml. It keeps locked packs, locks new packs
and packs whose line changed, and writes only files that change. It names each
pack whose entry in packs.lock is new or changed.

It takes the packs.toml of this folder or of the nearest folder above, within
the module; -f names another. Commands that can work on several projects accept
-f more than once, and patterns like those of the go command:
"packvendor -f ./..." works on every packs.toml here and below, also in other
modules. They work on one project after the other, and an error in one does not
stop the others.`,
		Example: `  packvendor             # vendor what packs.toml names
  packvendor --frozen    # obey packs.lock, use no network
  packvendor --frozen --from bundle.tar    # the same, with what "export" wrote
  packvendor -f ./...    # vendor in all projects here and below`,
		Version:           version(),
		Args:              c.noCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: c.prepare,
		RunE: func(command *cobra.Command, _ []string) error {
			locked := c.isLocked(command.Flags())
			return c.eachProject(func(o vendorer.Options) error {
				o.Locked, o.Offline = locked, c.offline || c.frozen
				report, err := vendorer.Run(command.Context(), o)
				if err != nil {
					return err
				}
				return c.reportRun(report, lockedLine, nil)
			})
		},
	}
	command.SetFlagErrorFunc(asUsage)
	command.SuggestionsMinimumDistance = 2
	command.SetHelpCommand(c.helpCommand())
	command.SetUsageFunc(usage(command.UsageFunc()))
	persistent := command.PersistentFlags()
	persistent.BoolVarP(&c.quiet, "quiet", "q", false, "print only warnings and errors")
	persistent.BoolVarP(&c.verbose, "verbose", "v", false, "print what is done, and why")
	persistent.BoolVar(&c.json, "json", false, "print one JSON document, errors included")
	c.projectsFlags(command)
	c.fromFlag(command)
	flags := command.Flags()
	flags.Bool("version", false, "print the version")
	flags.BoolVar(&c.locked, "locked", false, "exit with 1 if packs.lock would change (CI: default)")
	flags.BoolVar(&c.frozen, "frozen", false, "both --locked and --offline")
	return command
}

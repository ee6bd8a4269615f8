package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) rootCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "packvendor",
		Short: "Put Greentic packs into Go programs",
		Long: `Put Greentic packs into Go programs.

Without a command, packvendor makes packs.lock, packs/ and the generated Go file
agree with packs.toml: locked packs are obeyed, others are locked, and nothing
is written where nothing changed.

packs.toml is the one here or in the nearest folder above, within the module; -f
names another. Commands that can work on several projects accept -f more than
once, and patterns as the go command does: "packvendor -f ./..." works on every
packs.toml here and below, in other modules too. Projects are worked on in turn,
and an error in one does not stop the others.`,
		Example: `  packvendor             # vendor what packs.toml names
  packvendor --frozen    # obey packs.lock, use no network
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
				return c.reportRun(report, nil, nil)
			})
		},
	}
	command.SetFlagErrorFunc(asUsage)
	command.SuggestionsMinimumDistance = 2
	command.SetHelpCommand(c.helpCommand())
	persistent := command.PersistentFlags()
	persistent.BoolVarP(&c.quiet, "quiet", "q", false, "print only warnings and errors")
	persistent.BoolVarP(&c.verbose, "verbose", "v", false, "print what is done, and why")
	persistent.BoolVar(&c.json, "json", false, "print one JSON document, errors included")
	c.projectsFlags(command)
	flags := command.Flags()
	flags.Bool("version", false, "print the version")
	flags.BoolVar(&c.locked, "locked", false, "exit with 1 if packs.lock would change (CI: default)")
	flags.BoolVar(&c.frozen, "frozen", false, "both --locked and --offline")
	return command
}

func (c *cli) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "Explain a command",
		Example:           "  packvendor help update",
		ValidArgsFunction: c.completeCommands,
		RunE: func(_ *cobra.Command, args []string) error {
			target, rest, err := c.root.Find(args)
			if err == nil && len(rest) > 0 {
				err = c.noCommand(target, rest)
			}
			if err != nil {
				return asUsage(c.root, err)
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

// projectFlags are those of commands that work on one project.
func (c *cli) projectFlags(command *cobra.Command) {
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.jobsFlag(command)
	c.fetchFlags(command)
}

// projectsFlags are those of commands that can work on several projects.
func (c *cli) projectsFlags(command *cobra.Command) {
	c.fileFlag(command, "use `FILE` as packs.toml, or DIR/...; repeatable")
	c.jobsFlag(command)
	c.fetchFlags(command)
}

func (c *cli) jobsFlag(command *cobra.Command) {
	command.Flags().IntVarP(&c.jobs, "jobs", "j", vendorer.DefaultJobs, "work on `N` packs at once")
	noFiles(command, "jobs")
}

// fileFlag is that of commands which work on a packs.toml.
func (c *cli) fileFlag(command *cobra.Command, usage string) {
	command.Flags().StringArrayVarP(&c.files, "file", "f", nil, usage)
	command.RegisterFlagCompletionFunc("file", cobra.FixedCompletions([]string{"toml"}, cobra.ShellCompDirectiveFilterFileExt))
}

// fetchFlags are those of commands that may fetch.
func (c *cli) fetchFlags(command *cobra.Command) {
	c.cacheDirFlag(command)
	c.offlineFlag(command)
}

func (c *cli) offlineFlag(command *cobra.Command) {
	command.Flags().BoolVar(&c.offline, "offline", false, "use no network at all")
}

// parentCommand makes command one that does nothing but hold others.
func (c *cli) parentCommand(command *cobra.Command, children ...*cobra.Command) *cobra.Command {
	command.Args = c.noCommand
	command.RunE = func(command *cobra.Command, _ []string) error {
		return misuse(command, "%s needs a command", command.CommandPath())
	}
	command.DisableFlagsInUseLine = true
	command.SetUsageTemplate(strings.Replace(command.UsageTemplate(), "{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}", "", 1))
	command.SuggestionsMinimumDistance = 2
	command.AddCommand(children...)
	return command
}

// noCommand is about a first word that is no command.
func (c *cli) noCommand(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %+q", args[0])
	if near := command.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("unknown command %+q, did you mean %q?", args[0], near[0])
	}
	return misuse(command, "%w", err)
}

func (c *cli) noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return misuse(command, "%s takes no arguments, not %+q", command.CommandPath(), args[0])
}

// arguments is for commands that take from least to most arguments, of what; most
// is -1 where there may be any number.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		return misuse(command, "%s takes %s, not %s", command.CommandPath(), what, phrase.Count(len(args), "argument"))
	}
}

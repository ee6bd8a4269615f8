package main

import (
	"github.com/spf13/cobra"

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

// completeCommands completes the words of a command, as help takes them.
func (c *cli) completeCommands(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	target, rest, err := c.root.Find(args)
	if err != nil || len(rest) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var completions []string
	for _, command := range target.Commands() {
		if command.IsAvailableCommand() {
			completions = append(completions, cobra.CompletionWithDesc(command.Name(), command.Short))
		}
	}
	return completions, cobra.ShellCompDirectiveNoFileComp
}

package main

import (
	"fmt"

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
is written where nothing changed.`,
		Example: `  packvendor             vendor what packs.toml names
  packvendor --frozen    obey packs.lock, use no network`,
		Version:           version(),
		Args:              c.noCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: c.prepare,
		RunE: func(command *cobra.Command, _ []string) error {
			o := c.options()
			o.Locked = c.isLocked(command.Flags())
			o.Offline = c.offline || c.frozen
			c.say.locked = c.say.locked || o.Locked
			report, err := vendorer.Run(command.Context(), o)
			if err != nil {
				return err
			}
			return c.reportRun(report)
		},
	}
	command.SetFlagErrorFunc(asUsage)
	command.SuggestionsMinimumDistance = 2
	command.SetHelpCommand(&cobra.Command{Use: "help [COMMAND]", Short: "Explain a command", RunE: func(command *cobra.Command, args []string) error {
		target, rest, err := c.root.Find(args)
		if err == nil && len(rest) > 0 {
			err = c.noCommand(target, rest)
		}
		if err != nil {
			return asUsage(c.root, err)
		}
		target.InitDefaultHelpFlag()
		return target.Help()
	}})
	persistent := command.PersistentFlags()
	persistent.BoolVarP(&c.quiet, "quiet", "q", false, "print only warnings and errors")
	persistent.BoolVarP(&c.verbose, "verbose", "v", false, "print what is done, and why")
	persistent.BoolVar(&c.json, "json", false, "print one JSON document, errors included")
	c.projectFlags(command)
	flags := command.Flags()
	flags.BoolVar(&c.locked, "locked", false, "exit with 1 if packs.lock would change (CI: default)")
	flags.BoolVar(&c.frozen, "frozen", false, "both --locked and --offline")
	return command
}

// projectFlags are those of commands that work on a project.
func (c *cli) projectFlags(command *cobra.Command) {
	command.Flags().StringVarP(&c.file, "file", "f", "packs.toml", "packs.toml to use")
	command.Flags().IntVarP(&c.jobs, "jobs", "j", vendorer.DefaultJobs, "how many packs to fetch at once")
	c.fetchFlags(command)
}

// fetchFlags are those of commands that may fetch.
func (c *cli) fetchFlags(command *cobra.Command) {
	command.Flags().StringVar(&c.cacheDir, "cache-dir", "", "root of the shared pack cache")
	command.Flags().BoolVar(&c.offline, "offline", false, "use no network at all")
}

func (c *cli) addCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "add [NAME] REF",
		Short: "Pin a reference in packs.toml, and vendor",
		Long: `Pin a reference in packs.toml, and vendor.

REF is written as repository:tag@digest, with the digest that its tag names now.
NAME defaults to the last part of the repository. A pack of that name gets the
new reference and keeps its other keys.`,
		Example: "  packvendor add slack ghcr.io/greenticai/greentic-packs/slack:0.4.38",
		Args:    c.arguments1or2,
		RunE: func(command *cobra.Command, args []string) error {
			name := ""
			if len(args) == 2 {
				name = args[0]
			}
			report, err := vendorer.Add(command.Context(), c.options(), name, args[len(args)-1])
			if err != nil {
				return err
			}
			return c.reportAdd(report)
		},
	}
	c.projectFlags(command)
	return command
}

func (c *cli) updateCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "update [NAME...]",
		Short: "Follow the tags of packs, and vendor",
		Long: `Follow the tags of the named packs, or of all, and vendor.

A pack pinned as repository:tag@digest gets the tag's new digest in packs.toml;
one that follows a bare tag only in packs.lock. A pack without a tag never
moves. If a tag that reads as a version now names another digest, nothing is
updated, unless --accept-retag is given.`,
		Example: "  packvendor update state-redis",
		RunE: func(command *cobra.Command, args []string) error {
			report, err := vendorer.Update(command.Context(), c.options(), args, c.acceptRetag)
			if err != nil {
				return err
			}
			return c.reportUpdate(report, args)
		},
	}
	c.projectFlags(command)
	command.Flags().BoolVar(&c.acceptRetag, "accept-retag", false, "accept version tags that were pushed again")
	return command
}

func (c *cli) verifyCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check that everything agrees, and write nothing",
		Long: `Check that packs.toml, packs.lock, the vendored packs, the generated Go file
and what the Go toolchain embeds agree. Nothing is written, and without --remote
no network is used. Exit code 1 is a difference, 4 wrong bytes or a lock that
lies.`,
		Example: "  packvendor verify --remote",
		Args:    c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if c.remote && c.offline {
				return usagef("--remote and --offline exclude each other")
			}
			v, err := vendorer.Verify(command.Context(), c.options(), c.remote)
			if err != nil {
				return err
			}
			return c.reportVerify(v)
		},
	}
	c.projectFlags(command)
	command.Flags().BoolVar(&c.remote, "remote", false, "prove packs.lock against the registries too")
	return command
}

func (c *cli) fetchCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "fetch REF",
		Short:   "Fetch a pack into the shared cache, and print its path",
		Example: `  packvendor fetch --allow-tags ghcr.io/greenticai/greentic-packs/slack:0.4.38`,
		Args:    c.oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			result, err := vendorer.Fetch(command.Context(), c.options(), vendorer.FetchOptions{
				AllowTags: c.allowTags, InsecureRegistries: c.insecure,
			}, args[0])
			if err != nil {
				return err
			}
			return c.reportFetch(result)
		},
	}
	c.fetchFlags(command)
	command.Flags().BoolVar(&c.allowTags, "allow-tags", false, "accept a reference without a digest")
	command.Flags().StringArrayVar(&c.insecure, "insecure-registry", nil, "host[:port] to speak plain HTTP to")
	return command
}

func (c *cli) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  packvendor version --json",
		Args:    c.noArguments,
		RunE:    func(*cobra.Command, []string) error { return c.reportVersion() },
	}
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
	return &usageError{command: command, err: err}
}

func (c *cli) noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &usageError{command: command, err: fmt.Errorf("%s takes no arguments, not %+q", command.CommandPath(), args[0])}
}

func (c *cli) oneArgument(command *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return &usageError{command: command, err: fmt.Errorf("%s takes one reference, not %d", command.CommandPath(), len(args))}
}

func (c *cli) arguments1or2(command *cobra.Command, args []string) error {
	if len(args) == 1 || len(args) == 2 {
		return nil
	}
	return &usageError{command: command, err: fmt.Errorf("%s takes [NAME] REF, not %d arguments", command.CommandPath(), len(args))}
}

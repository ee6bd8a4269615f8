package main

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/topic"
	"github.com/greenticai/packvendor/vendorer"
)

// projectFlags adds the flags of commands that work on one project.
func (c *cli) projectFlags(command *cobra.Command) {
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.jobsFlag(command)
	c.fetchFlags(command)
}

// projectsFlags adds the flags of commands that can work on several projects.
func (c *cli) projectsFlags(command *cobra.Command) {
	c.fileFlag(command, "use `FILE` as packs.toml, or DIR/...; repeatable")
	c.jobsFlag(command)
	c.fetchFlags(command)
}

func (c *cli) jobsFlag(command *cobra.Command) {
	command.Flags().IntVarP(&c.jobs, "jobs", "j", 0, "work on at most `N` packs at once")
	noFiles(command, "jobs")
}

// A repeatable has the values of a flag, in their order. That of pflag would make a writer of
// CSV, with its buffer, for each such flag of each command.
type repeatable []string

func (r *repeatable) Set(value string) error { *r = append(*r, value); return nil }

// Type is pflag's, by which cobra knows that the flag can be completed again.
func (r *repeatable) Type() string { return "stringArray" }

func (r *repeatable) String() string { return strings.Join(*r, " ") }

// fileFlag adds -f.
func (c *cli) fileFlag(command *cobra.Command, usage string) {
	command.Flags().VarP((*repeatable)(&c.files), "file", "f", usage)
	command.RegisterFlagCompletionFunc("file", cobra.FixedCompletions([]string{"toml"}, cobra.ShellCompDirectiveFilterFileExt))
}

// fetchFlags adds the flags of commands that may fetch.
func (c *cli) fetchFlags(command *cobra.Command) {
	c.cacheDirFlag(command)
	c.offlineFlag(command)
}

func (c *cli) offlineFlag(command *cobra.Command) {
	command.Flags().BoolVar(&c.offline, "offline", false, "use no network at all")
}

// fromFlag adds --from, for commands that may fetch what they know by digest.
func (c *cli) fromFlag(command *cobra.Command) {
	command.Flags().Var((*repeatable)(&c.from), "from", "look into `BUNDLE` before registries; repeatable")
}

// cacheDirFlag adds --cache-dir.
func (c *cli) cacheDirFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.cacheDir, "cache-dir", "", "use the shared pack cache in `DIR`")
	command.MarkFlagDirname("cache-dir")
}

// lockFlag adds --lock, for commands that compare a program with any packs.lock.
func (c *cli) lockFlag(command *cobra.Command, locks *[]string, usage string) {
	command.Flags().Var((*repeatable)(locks), "lock", usage)
}

// insecureFlag adds --insecure-registry, for references that are not from packs.toml.
func (c *cli) insecureFlag(command *cobra.Command, hosts *[]string) {
	command.Flags().Var((*repeatable)(hosts), "insecure-registry", "speak plain HTTP to `HOST`; repeatable")
	noFiles(command, "insecure-registry")
}

// noFiles keeps shells from completing the values of flags with the names of files.
func noFiles(command *cobra.Command, flags ...string) {
	for _, flag := range flags {
		command.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions)
	}
}

// completePacks completes the names of packs, of which a command takes no more than
// most; 0 is any number.
func (c *cli) completePacks(most int) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		given := map[string]bool{}
		for _, arg := range args {
			name, _, _ := strings.Cut(arg, "@") // NAME@TAG
			given[name] = true
		}
		var completions []string
		for _, pack := range vendorer.Configured(c.completedFile()) {
			if !given[pack.Name] {
				completions = append(completions, cobra.CompletionWithDesc(pack.Name, safe.Line(strings.TrimSpace(pack.Ref+" "+pack.Version))))
			}
		}
		return completions, cobra.ShellCompDirectiveNoFileComp
	}
}

// completedFile is the packs.toml that the command line being completed would work on.
func (c *cli) completedFile() string {
	file := ""
	for word := range strings.FieldsSeq(c.getenv("PACKVENDOR_FLAGS")) {
		if value, ok := strings.CutPrefix(word, "--file="); ok {
			file = value
		}
	}
	if len(c.files) > 0 {
		file = c.files[len(c.files)-1]
	}
	if file == "" {
		file = vendorer.Nearest()
	}
	return file
}

func flagOf(command *cobra.Command, name string) *pflag.Flag {
	command.InitDefaultHelpFlag()
	if f := command.Flags().Lookup(name); f != nil {
		return f
	}
	return command.InheritedFlags().Lookup(name)
}

// anyFlag returns the flag of that name of any command, nil if none has it.
func (c *cli) anyFlag(name string) *pflag.Flag {
	for command := range everyCommand(c.root) {
		if flag := flagOf(command, name); flag != nil {
			return flag
		}
	}
	return nil
}

// everyCommand is a command and all below it.
func everyCommand(command *cobra.Command) iter.Seq[*cobra.Command] {
	return func(yield func(*cobra.Command) bool) {
		if !yield(command) {
			return
		}
		for _, child := range command.Commands() {
			for c := range everyCommand(child) {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// completeFiles completes files for the arguments from first to last, counted from 0, and nothing
// for others. If last is -1, there is no last one.
func completeFiles(first, last int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if n := len(args); n < first || n > last && last >= 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
}

// usagef returns the error of a command line that makes no sense.
func usagef(format string, args ...any) error {
	return &problem.UsageError{Err: fmt.Errorf(format, args...)}
}

// misuse is usagef with a hint: the command's --help.
func misuse(command *cobra.Command, format string, args ...any) error {
	return &problem.UsageError{Err: fmt.Errorf(format, args...), Help: helpWords(command)}
}

// helpWords returns the words of the command line that explains a command.
func helpWords(command *cobra.Command) []string {
	return append(strings.Fields(command.CommandPath())[1:], "--help")
}

// asUsage makes errors of cobra usage errors, without Go's own words.
func asUsage(command *cobra.Command, err error) error {
	if errors.As(err, new(*problem.UsageError)) {
		return err
	}
	text, _, _ := strings.Cut(err.Error(), ": strconv.")
	return misuse(command, "%s", text)
}

// parentCommand makes a command that only holds others.
func (c *cli) parentCommand(command *cobra.Command, children ...*cobra.Command) *cobra.Command {
	command.Args = c.noCommand
	command.RunE = func(command *cobra.Command, _ []string) error {
		return misuse(command, "%s needs a command", command.CommandPath())
	}
	command.DisableFlagsInUseLine = true
	command.SuggestionsMinimumDistance = 2
	command.AddCommand(children...)
	return command
}

// noCommand refuses a first word that is not a command.
func (c *cli) noCommand(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %+q", args[0])
	if near := command.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("unknown command %+q, did you mean %q?", args[0], near[0])
	}
	if _, ok := topic.Find(args[0]); ok {
		return &problem.UsageError{Err: err, Help: []string{"help", args[0]}}
	}
	return misuse(command, "%w", err)
}

func (c *cli) noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return misuse(command, "%s takes no arguments, not %+q", command.CommandPath(), args[0])
}

// arguments accepts from least to most arguments; most is -1 for any number. what names
// them in the error.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		return misuse(command, "%s takes %s, not %s", command.CommandPath(), what, phrase.Count(len(args), "argument"))
	}
}

// wantsJSON looks for --json where the flags could not be parsed.
func wantsJSON(words []string) bool {
	for _, word := range words {
		name, value, given := strings.Cut(word, "=")
		on, err := strconv.ParseBool(value)
		if name == "--json" && (!given || err == nil && on) {
			return true
		}
	}
	return false
}

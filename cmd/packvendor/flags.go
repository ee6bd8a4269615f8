package main

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
)

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
		if err := c.presetFlags(command); err != nil {
			return err
		}
	}
	c.root.SetArgs(append([]string{}, c.args...))
	return c.root.ExecuteContext(ctx)
}

// presetFlags sets the flags of PACKVENDOR_FLAGS. Those that the command does not have
// are left out; those that no command has are an error.
func (c *cli) presetFlags(command *cobra.Command) error {
	for word := range strings.FieldsSeq(c.getenv("PACKVENDOR_FLAGS")) {
		name, value, given := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		known := c.anyFlag(name)
		switch {
		case !strings.HasPrefix(word, "--"):
			return usagef("PACKVENDOR_FLAGS: %+q: write flags as --flag or --flag=value", word)
		case known == nil:
			return usagef("PACKVENDOR_FLAGS: no command has a flag --%s", safe.Word(name))
		case known.NoOptDefVal == "" && !given:
			return usagef("PACKVENDOR_FLAGS: --%s needs a value: write --%s=value", name, name)
		case !given:
			value = known.NoOptDefVal
		}
		c.preset = append(c.preset, name)
		if flag := flagOf(command, name); flag != nil {
			if flag.Value.Set(value) != nil {
				return usagef("PACKVENDOR_FLAGS: --%s cannot be %+q", name, value)
			}
			flag.Changed = true
		}
	}
	c.presetFiles = len(c.files)
	return nil
}

// settleVerbosity settles --quiet against --verbose: the command line wins over the
// environment.
func (c *cli) settleVerbosity() error {
	switch {
	case !c.quiet || !c.verbose:
	case slices.Contains(c.preset, "quiet"):
		c.quiet = false
	case slices.Contains(c.preset, "verbose"):
		c.verbose = false
	default:
		return usagef("--quiet and --verbose exclude each other")
	}
	return nil
}

// unquoteUsage takes away the quotes that mark the name of a flag's value in what the
// flag means: help does that by itself, completion does not.
func (c *cli) unquoteUsage() {
	for command := range everyCommand(c.root) {
		command.LocalFlags().VisitAll(func(flag *pflag.Flag) { _, flag.Usage = pflag.UnquoteUsage(flag) })
	}
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

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/topic"
	"github.com/greenticai/packvendor/internal/nearest"
)

func (c *cli) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND|TOPIC]",
		Short: "Explain a command or a topic",
		Long:  "Explain a command or a topic. \"packvendor help\" lists both.",
		Example: `  packvendor help update
  packvendor help exit-codes`,
		ValidArgsFunction: c.completeHelp,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				if t, ok := topic.Find(args[0]); ok {
					_, err := fmt.Fprint(c.stdout, t.Text)
					return err
				}
			}
			return c.helpOf(args)
		},
	}
}

// helpOf prints the help of the command that the words name.
func (c *cli) helpOf(words []string) error {
	target, rest, err := c.root.Find(words)
	if err == nil && len(rest) > 0 {
		err = c.noCommand(target, rest)
	}
	if err != nil && len(words) == 1 {
		if near := nearest.Of(words[0], topicNames()); near != "" && len(c.root.SuggestionsFor(words[0])) == 0 {
			err = fmt.Errorf("unknown topic %+q, did you mean %q?", words[0], near)
		}
	}
	if err != nil {
		return asUsage(c.root, err)
	}
	target.InitDefaultHelpFlag()
	return target.Help()
}

func topicNames() []string {
	var names []string
	for _, t := range topic.All() {
		names = append(names, t.Name)
	}
	return names
}

// usage prints the usage of a command as plain does, which is cobra's own way, with the topics
// below the commands of the program. It edits the text because a template of cobra would link
// text/template, which keeps the linker from dropping any exported method: a seventh of the
// program.
func usage(plain func(*cobra.Command) error) func(*cobra.Command) error {
	return func(command *cobra.Command) error {
		out := command.OutOrStderr()
		var text strings.Builder
		command.SetOut(&text)
		err := plain(command)
		command.SetOut(out)
		if err != nil {
			return err
		}
		edited := text.String()
		switch {
		case !command.HasParent():
			edited = withTopics(edited, command)
		case command.HasSubCommands(): // it does nothing without one, and has no flags of its own
			edited = strings.Replace(edited, "\n  "+command.CommandPath()+" [command]", "", 1)
		}
		_, err = io.WriteString(out, edited)
		return err
	}
}

// withTopics lists the topics in the usage of the program, below the commands.
func withTopics(usage string, program *cobra.Command) string {
	var list strings.Builder
	for _, t := range topic.All() {
		fmt.Fprintf(&list, "\n  %-*s %s", program.NamePadding(), t.Name, t.Title)
	}
	usage = strings.Replace(usage, "\n\nFlags:", "\n\nTopics of help:"+list.String()+"\n\nFlags:", 1)
	return strings.Replace(usage, "about a command.", fmt.Sprintf("about a command,\nand \"%s help TOPIC\" about a topic.", program.CommandPath()), 1)
}

// completeHelp completes the words of a command, or the name of a topic.
func (c *cli) completeHelp(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
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
	if len(args) == 0 {
		for _, t := range topic.All() {
			completions = append(completions, cobra.CompletionWithDesc(t.Name, t.Title))
		}
	}
	return completions, cobra.ShellCompDirectiveNoFileComp
}

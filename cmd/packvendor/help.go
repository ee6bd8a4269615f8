package main

import (
	"fmt"
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

// withTopics makes the usage of the program list the topics, below the commands.
func withTopics(usage string) string {
	var list strings.Builder
	for _, t := range topic.All() {
		fmt.Fprintf(&list, "\n  {{rpad %q .NamePadding}} %s", t.Name, t.Title)
	}
	flags := "{{if .HasAvailableLocalFlags}}"
	usage = strings.Replace(usage, flags, "{{if not .HasParent}}\n\nTopics of help:"+list.String()+"{{end}}"+flags, 1)
	return strings.Replace(usage, `about a command.{{end}}`, `about a command{{if not .HasParent}},
and "{{.CommandPath}} help TOPIC" about a topic{{end}}.{{end}}`, 1)
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

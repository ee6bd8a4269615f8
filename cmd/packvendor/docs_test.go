package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/topic"
)

// The text of docs/cli.md besides the commands' own text.
const (
	docsIntro = `# Commands

<!-- Written by "go generate ./cmd/packvendor" from the commands themselves. -->

This page has the help of every command, as ` + "`packvendor COMMAND --help`" + ` prints it. Type
` + "`packvendor`" + ` as you installed it: in most projects ` + "`go tool packvendor`" + `.
`
	docsJSON = `
## JSON

With ` + "`--json`" + `, every command prints one document on standard output. The documents are
shown above, and [JSON documents](json.md) explains them and has their schemas. A command that
fails before it has a result prints its errors:
`
)

// TestDocs compares docs/cli.md with the commands.
func TestDocs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the examples have other paths here")
	}
	comparePage(t, "cli.md", docs(t))
}

// TestDocsTopics compares the pages of topics with the topics.
func TestDocsTopics(t *testing.T) {
	for _, topic := range topic.All() {
		comparePage(t, topic.Name+".md", topicPage(topic))
	}
}

// comparePage compares a page in docs with its text, or writes it.
func comparePage(t *testing.T, name, want string) {
	t.Helper()
	name = filepath.Join("..", "..", "docs", name)
	if *update {
		write(t, name, want)
		return
	}
	got, err := os.ReadFile(name)
	if err != nil || strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Errorf("%s is not what the program says (%v): run go generate ./cmd/packvendor", name, err)
	}
}

// docs renders the page.
func docs(t *testing.T) string {
	t.Helper()
	c, commands := documented(t)
	documents := documents(t)
	var b strings.Builder
	b.WriteString(docsIntro)
	for _, group := range c.root.Groups() {
		fmt.Fprintf(&b, "\n**%s**\n\n| command | does |\n|---|---|\n", strings.TrimSuffix(group.Title, ":"))
		if group == c.root.Groups()[0] {
			fmt.Fprintf(&b, "| [`packvendor`](#packvendor) | makes packs.lock, the vendored packs and the Go file agree with packs.toml |\n")
		}
		for _, command := range commands {
			if within(command, group.ID) && command.Runnable() && !command.HasSubCommands() {
				fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", command.CommandPath(), strings.ReplaceAll(command.CommandPath(), " ", "-"), lowered(command.Short))
			}
		}
	}
	b.WriteString("\nEvery command has these flags:\n\n" + flagTable(c.root.PersistentFlags()))
	for _, command := range commands {
		if !command.HasSubCommands() || command == c.root {
			section(&b, command, documents)
		}
	}
	b.WriteString(docsTopics() + docsJSON)
	fmt.Fprintf(&b, "\n    %s\n\n```json\n%s```\n", errorExample, documents[errorExample])
	return b.String()
}

// docsTopics renders the list of topics.
func docsTopics() string {
	var b strings.Builder
	b.WriteString("\n## Topics\n\n| topic | page |\n|---|---|\n")
	for _, t := range topic.All() {
		fmt.Fprintf(&b, "| `packvendor help %s` | [%s](%s.md) |\n", t.Name, t.Title, t.Name)
	}
	return b.String()
}

// topicPage renders a topic as a page.
func topicPage(t topic.Topic) string {
	return "# " + t.Title + "\n\n<!-- Written by \"go generate ./cmd/packvendor\" from the text of \"packvendor help " + t.Name + "\". -->\n\n" +
		markdown(topicText(t))
}

// within reports whether a command, or one above it, is in a group.
func within(command *cobra.Command, group string) bool {
	for ; command != nil; command = command.Parent() {
		if command.GroupID == group {
			return true
		}
	}
	return false
}

func lowered(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// section renders a command's own text, and its document.
func section(b *strings.Builder, command *cobra.Command, documents map[string]string) {
	command.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n## %s\n\n    %s\n\n", command.CommandPath(), command.UseLine())
	text := command.Long
	if text == "" {
		text = command.Short + "."
	}
	b.WriteString(markdown(commandText(text)) + "\n")
	if len(command.Aliases) > 0 {
		fmt.Fprintf(b, "Also: `%s`\n\n", strings.Join(command.Aliases, "`, `"))
	}
	if table := flagTable(command.LocalNonPersistentFlags()); table != "" {
		fmt.Fprintf(b, "%s\n", table)
	}
	b.WriteString("For example:\n\n")
	for line := range strings.Lines(command.Example) {
		fmt.Fprintf(b, "    %s\n", strings.TrimSpace(line))
	}
	for _, example := range jsonExamples {
		if words := strings.TrimPrefix(example.line, command.CommandPath()+" "); strings.HasPrefix(words, "--json") && example.line != errorExample {
			fmt.Fprintf(b, "\n<details><summary><code>%s</code></summary>\n\n```json\n%s```\n\n</details>\n", example.line, documents[example.line])
		}
	}
}

// flagTable renders flags, --help aside; "" if there are no others.
func flagTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(flag)
		name := "`" + strings.TrimSpace("--"+flag.Name+" "+value) + "`"
		if flag.Shorthand != "" {
			name = "`-" + flag.Shorthand + "`, " + name
		}
		initial := ""
		if flag.DefValue != "" && flag.DefValue != "false" && flag.DefValue != "[]" {
			initial = "`" + flag.DefValue + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, strings.ReplaceAll(usage, "|", `\|`), initial)
	})
	if b.Len() == 0 {
		return ""
	}
	return "| flag | meaning | if not given |\n|---|---|---|\n" + b.String()
}

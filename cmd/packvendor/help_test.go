package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/internal/printable"
)

// documented returns all commands in the help.
func documented(t *testing.T) (*cli, []*cobra.Command) {
	t.Helper()
	c := newCLI(process{getenv: func(string) string { return "" }})
	var commands []*cobra.Command
	for command := range everyCommand(c.root) {
		if command.Hidden || command.Name() == cobra.ShellCompRequestCmd {
			continue
		}
		commands = append(commands, command)
	}
	return c, commands
}

// Every command has an example, each line of which it accepts.
func TestExamples(t *testing.T) {
	c, commands := documented(t)
	for _, command := range commands {
		if command.Example == "" {
			t.Errorf("%s has no example", command.CommandPath())
		}
		for line := range strings.Lines(command.Example) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			words := strings.Fields(line)
			if words[0] != "packvendor" {
				t.Errorf("%s: %q is no command line", command.CommandPath(), line)
				continue
			}
			found, rest, err := c.root.Find(words[1:])
			if err == nil {
				err = found.ParseFlags(rest)
			}
			if err == nil {
				err = found.ValidateArgs(found.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %q: %v", command.CommandPath(), line, err)
			}
			if found != command && found.Parent() != command && command.Name() != "packvendor" {
				t.Errorf("%s: %q is about another command", command.CommandPath(), line)
			}
		}
	}
}

// A help is plain text for a terminal of 80 columns, and a script compares it.
func TestHelpTexts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "scripts", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(data)
	}
	_, commands := documented(t)
	for _, command := range commands {
		path := command.CommandPath()
		if !strings.Contains(scripts.String(), "\nexec "+path+" --help\ncmp stdout ") {
			t.Errorf("no script compares %s --help", path)
		}
		code, help, stderr := runWith(t, nil, append(strings.Fields(path)[1:], "--help")...)
		if code != 0 || stderr != "" {
			t.Errorf("%s --help: exit code %d, stderr %q", path, code, stderr)
		}
		for line := range strings.Lines(help) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > 80 || printable.Text(line) != line || strings.Contains(line, "\t") || strings.TrimRight(line, " ") != line {
				t.Errorf("%s --help: %q", path, line)
			}
		}
		if strings.HasSuffix(command.Short, ".") || len(command.Short) > 64 {
			t.Errorf("%s is %q in short", path, command.Short)
		}
	}
}

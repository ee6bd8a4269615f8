package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The text of docs/cli.md besides the commands' own text.
const (
	docsIntro = `# Commands

<!-- Written by "go generate ./cmd/packvendor" from the commands themselves. -->

What ` + "`packvendor COMMAND --help`" + ` says, in one page. Where packvendor is a tool of the
module, ` + "`go tool packvendor COMMAND`" + ` is the same.
`
	docsEnvironment = `
## Environment

| variable | meaning |
|---|---|
| ` + "`PACKVENDOR_FLAGS`" + ` | flags as ` + "`--flag` or `--flag=value`" + `, separated by white space; the command line overrides them, and those that a command does not have are ignored |
| ` + "`PACKVENDOR_AUTH`" + ` | ` + "`anonymous`" + ` forbids the use of credentials |
| ` + "`CI`" + ` | where it is true, the bare run has ` + "`--locked`" + ` |
| ` + "`GREENTIC_PACK_CACHE_DIR`, `XDG_CACHE_HOME`, `GREENTIC_HOME`" + ` | where the shared cache is, in this order, if ` + "`--cache-dir`" + ` does not say it; ` + "`packvendor cache dir`" + ` prints it |
| ` + "`GOPACKAGE`" + ` | set by ` + "`go generate`" + `: the name of the Go package, where several are there |
| ` + "`GOFLAGS`, `GOENV`, `GOWORK`" + ` | as the go command has them: what ` + "`verify`" + ` finds out of a build goes by them |
| ` + "`DOCKER_AUTH_CONFIG`, `DOCKER_CONFIG`, `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`" + ` | where Docker and Podman keep credentials; ` + "`packvendor auth explain`" + ` tells what is found there |
| ` + "`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`" + ` | the proxy, as for any Go program |
| ` + "`SSL_CERT_FILE`, `SSL_CERT_DIR`" + ` | the certificates that are trusted, where Go honours them |
| ` + "`NO_COLOR`" + `, ` + "`TERM=dumb`" + ` | no colours; with the latter no progress line either |
| ` + "`GITHUB_ACTIONS`, `GITHUB_WORKSPACE`" + ` | set by GitHub Actions: errors and warnings are annotated in the files of the checkout |

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | drift: packs.lock would change, or a difference was found |
| 2 | usage: the command line, packs.toml, packs.lock, the output's place, an artifact without a usable pack |
| 3 | network, registry, authentication, or the network was needed and is forbidden |
| 4 | integrity: a digest, a size or an entry of packs.lock is not what it must be |
| 5 | local storage: no space, no permission |
| 130 | interrupted |

Where there are several, be it of one project or of several with ` + "`-f`" + `, the exit code is
the first of 130, 4, 5, 3, 2 and 1 that is among them. Only an interrupt ends the work on
the other projects.

` + "`go run` and `go generate` always exit with 1; `go tool`" + ` passes the code on.
`
	docsJSON = `
## JSON

With ` + "`--json`" + ` a command prints one document on standard output, whatever happens; only
help and completion scripts stay text. That of each command is shown with it. What
` + "`verify`, `outdated`, `diff` and `cache verify`" + ` look for is data: it is in their
documents, and the exit code tells that there is some. A command that failed before it
had something to say prints its errors, each with its exit code and, where there is
one, what to do next; ` + "`then`" + ` accepts what the hint shows. Where ` + "`-f`" + ` is repeated
or a pattern, the document is ` + "`{\"projects\": […]}`" + `, with the file, its exit code and its
document or error for each:
`
)

// TestDocs compares docs/cli.md with the commands.
func TestDocs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the examples have other paths here")
	}
	name := filepath.Join("..", "..", "docs", "cli.md")
	want := docs(t)
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what the commands are (%v): run go generate ./cmd/packvendor", name, err)
	}
}

// docs/cli.md lists every variable that the code reads.
func TestDocsEnvironment(t *testing.T) {
	variable := regexp.MustCompile(`[gG]etenv\("([A-Z_]+)"\)`)
	for _, dir := range []string{".", "../../vendorer", "../../packfetch", "../../internal/credentials", "../../internal/packcache", "../../internal/registry"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, found := range variable.FindAllStringSubmatch(string(source), -1) {
				if key := found[1]; !slices.Contains([]string{"HOME", "PATH", "USERPROFILE", "GIT_WORK_TREE", "GIT_CONFIG_COUNT"}, key) && !strings.Contains(docsEnvironment, key) {
					t.Errorf("%s looks at %s", file, key)
				}
			}
		}
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
	b.WriteString(docsEnvironment + docsJSON)
	fmt.Fprintf(&b, "\n    %s\n\n```json\n%s```\n", errorExample, documents[errorExample])
	return b.String()
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
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		fmt.Fprintf(b, "%s\n\n", markdownText(paragraph))
	}
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

// markdownText renders a paragraph of a command's text: indented lines as they are;
// commands in quotes, flags and variables as code.
func markdownText(paragraph string) string {
	if strings.HasPrefix(paragraph, "  ") {
		return "    " + strings.ReplaceAll(strings.TrimPrefix(paragraph, "  "), "\n  ", "\n    ")
	}
	code := regexp.MustCompile(`"packvendor[^"]*"|"-o -"|\$?[A-Z]+(_[A-Z]+)+(=[a-z]+)?|(^|\s)--?[a-z][a-z-]*`)
	return code.ReplaceAllStringFunc(paragraph, func(word string) string {
		space := word[:len(word)-len(strings.TrimLeft(word, " \n"))]
		return space + "`" + strings.Trim(word, " \n\"") + "`"
	})
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

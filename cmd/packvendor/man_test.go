package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/topic"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/roff"
)

// A manual is the pages of a release.
type manual struct {
	version string
	date    time.Time
}

// Flags of TestManual, which writes the pages of a release.
var (
	manDir     = flag.String("man", "", "write the manual pages to `DIR`")
	manVersion = flag.String("man-version", "0.0.0", "the `VERSION` in the manual pages")
	manDate    = flag.String("man-date", "0", "the date in the manual pages, in `SECONDS` since 1970")
)

// pages returns the pages by the names of their files.
func (m manual) pages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	c, commands := documented(t)
	for _, command := range commands {
		pages[manName(command)+".1"] = m.commandPage(c, command)
	}
	for _, topic := range topic.All() {
		pages["packvendor-"+topic.Name+".7"] = m.topicPage(topic)
	}
	return pages
}

func manName(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-")
}

// head begins a page.
func (m manual) head(name, section, short string) string {
	return fmt.Sprintf(".TH %s %s %s \"packvendor %s\" \"packvendor manual\"\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(roff.Verbatim(name)), section, m.date.UTC().Format(time.DateOnly), roff.Prose(m.version), roff.Verbatim(name), roff.Prose(short))
}

func (m manual) commandPage(c *cli, command *cobra.Command) string {
	command.InitDefaultHelpFlag()
	var b strings.Builder
	b.WriteString(m.head(manName(command), "1", lowered(command.Short)))
	b.WriteString(".SH SYNOPSIS\n" + roff.Code(command.CommandPath()) + roff.Verbatim(strings.TrimPrefix(command.UseLine(), command.CommandPath())) + "\n")
	if command == c.root {
		b.WriteString(".br\n" + roff.Code(command.Name()) + ` \fICOMMAND\fR` + "\n")
	}
	text := command.Long
	if text == "" {
		text = command.Short + "."
	}
	b.WriteString(".SH DESCRIPTION\n" + roffParts(commandText(text)))
	if len(command.Aliases) > 0 {
		b.WriteString(".PP\nAlso: " + roff.Code(strings.Join(command.Aliases, ", ")) + "\n")
	}
	b.WriteString(manCommands(command))
	if flags := manFlags(command.LocalNonPersistentFlags()); flags != "" {
		b.WriteString(".SH OPTIONS\n" + flags)
	}
	b.WriteString(".SH OPTIONS OF EVERY COMMAND\n" + manFlags(c.root.PersistentFlags()))
	b.WriteString(".SH EXAMPLES\n" + roff.Example(unindented(command.Example, "  ")))
	b.WriteString(".SH SEE ALSO\n" + seeAlso(command) + "\n")
	return b.String()
}

func (m manual) topicPage(t topic.Topic) string {
	return m.head("packvendor-"+t.Name, "7", lowered(t.Title)) + ".SH DESCRIPTION\n" + roffParts(topicText(t)) +
		".SH SEE ALSO\n" + reference("packvendor", "1") + "\n"
}

// roffParts renders parts of a text.
func roffParts(parts []helpPart) string {
	var b strings.Builder
	for i, part := range parts {
		if i > 0 && parts[i-1].kind != heading && (part.kind == verbatim || part.kind == paragraph) {
			b.WriteString(".PP\n")
		}
		switch part.kind {
		case heading:
			b.WriteString(".SS " + roff.Argument(part.text) + "\n")
		case verbatim:
			b.WriteString(roff.Example(part.text))
		case entry:
			b.WriteString(".TP\n" + roff.Code(part.terms) + "\n" + roff.Text(part.text, code) + "\n")
		default:
			b.WriteString(roff.Text(part.text, code) + "\n")
		}
	}
	return b.String()
}

// manCommands lists the commands below a command.
func manCommands(command *cobra.Command) string {
	var b strings.Builder
	for _, below := range command.Commands() {
		if below.Hidden {
			continue
		}
		if b.Len() == 0 {
			b.WriteString(".SH COMMANDS\n")
		}
		b.WriteString(".TP\n" + reference(manName(below), "1") + "\n" + roff.Prose(lowered(below.Short)) + "\n")
	}
	return b.String()
}

// manFlags lists flags, --help aside.
func manFlags(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(flag)
		name := roff.Code("--" + flag.Name)
		if flag.Shorthand != "" {
			name = roff.Code("-"+flag.Shorthand) + ", " + name
		}
		if value != "" {
			name += ` \fI` + roff.Verbatim(value) + `\fR`
		}
		if flag.DefValue != "" && flag.DefValue != "false" && flag.DefValue != "[]" {
			usage += " (default " + flag.DefValue + ")"
		}
		b.WriteString(".TP\n" + name + "\n" + roff.Text(usage, code) + "\n")
	})
	return b.String()
}

// seeAlso lists the pages above, below and beside a command, and the topics.
func seeAlso(command *cobra.Command) string {
	var pages []string
	for _, near := range slices.Concat([]*cobra.Command{command.Parent()}, command.Commands()) {
		if near != nil && !near.Hidden {
			pages = append(pages, reference(manName(near), "1"))
		}
	}
	for _, t := range topic.All() {
		pages = append(pages, reference("packvendor-"+t.Name, "7"))
	}
	return strings.Join(pages, ",\n")
}

func reference(page, section string) string { return roff.Code(page) + "(" + section + ")" }

// TestManual writes the manual pages, if -man names a folder for them, and checks them.
func TestManual(t *testing.T) {
	seconds, err := strconv.ParseInt(*manDate, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if *manDir != "" {
		dir = *manDir
	}
	for name, page := range (manual{version: *manVersion, date: time.Unix(seconds, 0)}).pages(t) {
		write(t, filepath.Join(dir, name), page)
	}
	t.Run("groff", func(t *testing.T) { lintManual(t, dir, "groff", "-man", "-Tutf8", "-rCHECKSTYLE=3", "-ww", "-z") })
	t.Run("mandoc", func(t *testing.T) { lintManual(t, dir, "mandoc", "-Tlint", "-Wwarning") })
}

// lintManual runs a program that says nothing of pages without faults.
func lintManual(t *testing.T, dir string, command ...string) {
	program := packtest.NeedProgram(t, command[0])
	cmd := exec.Command(program, append(command[1:], glob(t, filepath.Join(dir, "packvendor*.[17]"))...)...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

// Every command, flag and example of docs/cli.md is in its manual page.
func TestManualIsWhole(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages := manual{}.pages(t)
	plain := strings.NewReplacer(`\%`, "", `\fB`, "", `\fI`, "", `\fR`, "", `\-`, "-", `\(aq`, "'", `\(ti`, "~", `\(ha`, "^", `\(ga`, "`")
	checked := 0
	for _, section := range bytes.Split(data, []byte("\n## packvendor"))[1:] {
		words, text, _ := strings.Cut(string(section), "\n")
		name := "packvendor" + strings.ReplaceAll(words, " ", "-") + ".1"
		page := plain.Replace(pages[name])
		text, _, _ = strings.Cut(text, "\n## ") // the last command
		for _, want := range documentedIn(text) {
			if checked++; !strings.Contains(page, want) {
				t.Errorf("%s does not have %q", name, want)
			}
		}
	}
	if checked < 100 {
		t.Errorf("docs/cli.md has only %d flags and lines", checked)
	}
}

// documentedIn returns the flags and the lines to type of a section of docs/cli.md.
func documentedIn(text string) []string {
	text, _, _ = strings.Cut(text, "<details>")
	var all []string
	for _, found := range regexp.MustCompile("(?m)^\\| (`-[^|]*`) \\|").FindAllStringSubmatch(text, -1) {
		all = append(all, "\n"+strings.ReplaceAll(found[1], "`", "")+"\n")
	}
	for _, found := range regexp.MustCompile(`(?m)^    (.+)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, "\n"+found[1]+"\n")
	}
	return all
}

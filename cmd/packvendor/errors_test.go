package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const errorsIntro = `# Errors

<!-- Written by "go generate ./cmd/packvendor" from the scripts in testdata/scripts, and from cmd/packvendor/testdata/errors.txt. -->

Search this page for the words of a message. You find its cause, and what to do. The page has the words of every error and warning in packvendor's source. A
` + "`…`" + ` stands for any text, such as a name.

A message begins with the place of the error, in parts that end in a colon:

| part | meaning |
|---|---|
| ` + "`packs.toml:2`, `packs.lock:7`" + ` | a file and its line |
| ` + "`packs.slack`, `slack`" + ` | the pack |
| ` + "`cannot resolve REF`, `cannot list the tags of REPOSITORY`" + ` | the registry was asked for a manifest, or for tags |
| ` + "`cannot fetch REF`" + ` | the bytes of the pack were fetched |
| ` + "`cannot use REF`" + ` | the manifest of the pack was read |
| ` + "`cannot set packs.NAME`" + ` | ` + "`add`" + ` tried to write that line |
| ` + "`GET URL`" + ` | the request that failed |

A line ` + "`packvendor: hint: …`" + ` after the message is the next command to type. Where it
begins with ` + "`in packs.toml,`" + ` it is a line to write into that file instead. A failed run leaves
your project untouched. The one exception is a disk error while files are being replaced;
the next run repairs that.
`

// docs/errors.md has each message that a script shows, and the scripts show each that it
// has.
func TestErrors(t *testing.T) {
	groups, err := readErrorsTable()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := scriptMessages()
	if err != nil || len(messages) < 100 {
		t.Fatalf("%d messages: %v", len(messages), err)
	}
	for _, m := range messages {
		checkMessage(t, groups, m)
	}
	checkTable(t, groups)
	page := errorsPage(groups)
	name := filepath.Join("..", "..", "docs", "errors.md")
	if *update {
		if err := os.WriteFile(name, []byte(page), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != page {
		t.Errorf("%s is not what the scripts show (%v): run go generate ./cmd/packvendor", name, err)
	}
}

// checkMessage looks for the message of a script in the table, with its exit code.
func checkMessage(t *testing.T, groups []*errorGroup, m *scriptMessage) {
	t.Helper()
	entry, form := findEntry(groups, m)
	if entry == nil {
		t.Errorf("%s has no entry for a message of %s:\n%s", errorsTable, m.script, strings.Join(m.lines, "\n"))
		return
	}
	form.show(m)
	if m.code >= 0 && m.code != entry.code {
		t.Errorf("%q is an error of exit code %d, in %s of %d:\n%s", entry.title, entry.code, m.script, m.code, m.lines[0])
	}
	for _, line := range m.lines[1:] {
		if !form.hasDetail(line, m) {
			t.Errorf("%s: %q has no line for this one of %s:\n%s\n%s", errorsTable, entry.title, m.script, m.lines[0], line)
		}
	}
}

// show remembers the message that explains a form best: the first that stands alone with
// its hint, else the first that stands alone, else the first.
func (f *messageForm) show(m *scriptMessage) {
	if f.seen == nil || f.seen.rank() < m.rank() {
		f.seen = m
	}
}

func (m *scriptMessage) rank() int {
	rank := 0
	if len(m.hints) > 0 {
		rank += 2
	}
	if m.code >= 0 {
		rank++
	}
	return rank
}

// hasDetail reports whether a line is one of the form's details, and remembers it there.
func (f *messageForm) hasDetail(line string, m *scriptMessage) bool {
	var best *messageForm
	for _, form := range f.details {
		if form.rule.MatchString(line) && (best == nil || form.weight > best.weight) {
			best = form
		}
	}
	if best != nil {
		best.show(m)
	}
	return best != nil
}

var anchorForm = regexp.MustCompile(`^[a-z][a-z-]*$`)

// checkTable looks for what no script shows, and for entries that are not complete.
func checkTable(t *testing.T, groups []*errorGroup) {
	t.Helper()
	anchors := map[string]bool{}
	for _, g := range groups {
		for _, e := range g.entries {
			if anchor := e.anchor(); anchors[anchor] || !anchorForm.MatchString(anchor) {
				t.Errorf("%s: the anchor %q is not letters and hyphens, or there twice", errorsTable, anchor)
			}
			anchors[e.anchor()] = true
			if e.cause == "" || e.remedy == "" || len(e.messages) == 0 {
				t.Errorf("%s: %q lacks a message, a cause or a remedy", errorsTable, e.title)
			}
			for _, form := range e.forms() {
				if form.seen == nil && !form.isUntold {
					t.Errorf("%s: no script shows %q", errorsTable, form.text)
				}
			}
		}
	}
}

// errorsPage renders the page.
func errorsPage(groups []*errorGroup) string {
	var b strings.Builder
	b.WriteString(errorsIntro)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n**[%s](#%s)**\n\n", g.heading(), headingAnchor(g.heading()))
		for _, e := range g.entries {
			fmt.Fprintf(&b, "- [%s](#%s)\n", e.title, e.anchor())
		}
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n", g.heading())
		for _, e := range g.entries {
			e.render(&b)
		}
	}
	return b.String()
}

func (g *errorGroup) heading() string {
	if g.code == 0 {
		return g.title
	}
	return fmt.Sprintf("Exit code %d: %s", g.code, strings.ToLower(g.title[:1])+g.title[1:])
}

// headingAnchor is what code hosts make of a heading.
func headingAnchor(heading string) string {
	return regexp.MustCompile(`[^a-z0-9-]`).ReplaceAllString(strings.ReplaceAll(strings.ToLower(heading), " ", "-"), "")
}

func (e *errorEntry) render(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n```text\n", e.title)
	for _, form := range e.forms() {
		b.WriteString(form.text + "\n")
	}
	fmt.Fprintf(b, "```\n\n%s\n\n**What to do:** %s\n", e.cause, e.remedy)
	for _, form := range e.messages {
		if form.seen != nil {
			form.seen.render(b)
			return
		}
	}
}

// render shows a message as its script does.
func (m *scriptMessage) render(b *strings.Builder) {
	kind := "error"
	if m.isWarning {
		kind = "warning"
	}
	lines := append([]string{"packvendor: " + kind + ": " + m.lines[0]}, m.lines[1:]...)
	text := strings.Join(append(lines, m.hints...), "\n")
	text = regexp.MustCompile(`\$[A-Z][A-Z0-9_]*`).ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := m.vars[name[1:]]; ok {
			return value
		}
		return "…"
	})
	fmt.Fprintf(b, "\n<details><summary>An example, from <code>%s</code></summary>\n\n```text\n%s\n```\n\n</details>\n", m.script, text)
}

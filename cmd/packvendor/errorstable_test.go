package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// errorsTable is the file that has the cause and the remedy of each message; it explains
// its form itself.
var errorsTable = filepath.Join("testdata", "errors.txt")

// An errorGroup is all messages of one exit code.
type errorGroup struct {
	code    int // 0 means warnings
	title   string
	entries []*errorEntry
}

// An errorEntry is messages with one cause.
type errorEntry struct {
	title         string
	code          int
	messages      []*messageForm
	cause, remedy string
}

// A messageForm is a line of messages, in which … stands for any text.
type messageForm struct {
	text    string
	rule    *regexp.Regexp
	weight  int            // how many characters are not any text
	seen    *scriptMessage // that has the line
	details []*messageForm // the lines after a first one

	isUntold bool // no script has it, so it has no rule
}

// newMessageForm returns the form of a first line if before is `(?:.*: )?`, else that of
// a whole line.
func newMessageForm(before, text string) *messageForm {
	parts := strings.Split(text, "…")
	f := &messageForm{text: text, weight: len(strings.Join(parts, ""))}
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	rule := strings.ReplaceAll(strings.Join(parts, `.*`), `".*"`, `".*"(?:\.\.\.)?`) // of a long text, only its beginning
	f.rule = regexp.MustCompile(`^` + before + rule + `$`)
	return f
}

// readErrorsTable reads the file.
func readErrorsTable() ([]*errorGroup, error) {
	data, err := os.ReadFile(errorsTable)
	if err != nil {
		return nil, err
	}
	var groups []*errorGroup
	for n, line := range strings.Split(string(data), "\n") {
		if title, ok := strings.CutPrefix(line, "= "); ok {
			code, title, _ := strings.Cut(title, " ")
			number, err := strconv.Atoi(code)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", errorsTable, n+1, err)
			}
			groups = append(groups, &errorGroup{code: number, title: title})
			continue
		}
		if len(groups) > 0 {
			groups[len(groups)-1].read(line)
		}
	}
	return groups, nil
}

// read adds a line of the file.
func (g *errorGroup) read(line string) {
	if title, ok := strings.CutPrefix(line, "# "); ok {
		g.entries = append(g.entries, &errorEntry{title: title, code: g.code})
		return
	}
	if len(g.entries) > 0 {
		g.entries[len(g.entries)-1].read(line)
	}
}

func (e *errorEntry) read(line string) {
	switch {
	case strings.HasPrefix(line, "\t~ "):
		e.messages = append(e.messages, &messageForm{text: strings.TrimPrefix(line, "\t~ "), isUntold: true})
	case strings.HasPrefix(line, "\t\t"):
		last := e.messages[len(e.messages)-1]
		last.details = append(last.details, newMessageForm("", line[1:]))
	case strings.HasPrefix(line, "\t"):
		e.messages = append(e.messages, newMessageForm(`(?:.*: )?`, line[1:]))
	case strings.HasPrefix(line, "> "):
		e.remedy = strings.TrimSpace(e.remedy + "\n" + line[2:])
	default:
		e.cause = strings.TrimSpace(e.cause + "\n" + line)
	}
}

// forms are the lines of all messages, in the order of the file.
func (e *errorEntry) forms() []*messageForm {
	var all []*messageForm
	for _, form := range e.messages {
		all = append(append(all, form), form.details...)
	}
	return all
}

// anchor is the entry's name in links: what code hosts make of its heading.
func (e *errorEntry) anchor() string {
	return strings.ReplaceAll(strings.ToLower(e.title), " ", "-")
}

// findEntry returns the entry of a message, and its form that fits best; nil if there is
// none.
func findEntry(groups []*errorGroup, m *scriptMessage) (*errorEntry, *messageForm) {
	var entry *errorEntry
	var best *messageForm
	for _, g := range groups {
		if (g.code == 0) != m.isWarning {
			continue
		}
		for _, e := range g.entries {
			for _, form := range e.messages {
				if !form.isUntold && (best == nil || form.weight > best.weight) && form.rule.MatchString(m.lines[0]) {
					entry, best = e, form
				}
			}
		}
	}
	return entry, best
}

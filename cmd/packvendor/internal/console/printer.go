// Package console says to people on standard error what they are to know.
//
// Its rules:
//
//   - data goes to standard output; everything else, and all of this file, to
//     standard error;
//   - "packvendor: error: ", "packvendor: warning: ", or "packvendor: " alone for
//     what is just told; lower case, no full stop, the subject first and once;
//   - "packvendor: hint: " and then the literal next command, in the form in which
//     packvendor was started, or "in FILE, " with a place and the literal line to write
//     there.
package console

import (
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/terminal"
	"github.com/greenticai/packvendor/internal/printable"
)

// A Printer says things on standard error.
type Printer struct {
	Stderr         io.Writer
	Quiet, Verbose bool
	Colours        bool           // words that say what a line is have a colour
	Line           *terminal.Line // what is printed goes above it
	Hints          hint.Context
	About          string              // what precedes messages that do not say of which packs.toml they are
	Getenv         func(string) string // asks whether this is a job of GitHub Actions; nil: it is not

	mu            sync.Mutex      // of lines, which come from several sides
	said          map[string]bool // what once has told
	cacheUnusable bool            // said already
	trustInTree   bool            // told already
}

func (p *Printer) Error(text string) { p.line(red, "error: ", text) }
func (p *Printer) Hint(h hint.Hint)  { p.line(cyan, "hint: ", p.Hints.Text(h)) }

// once calls show with a text that was not printed in that way before; "" is never
// printed. Several projects may have the same problem.
func (p *Printer) once(show func(string), kind, text string) {
	key := kind + text
	if text == "" || p.said[key] {
		return
	}
	if p.said == nil {
		p.said = map[string]bool{}
	}
	p.said[key] = true
	show(text)
}

func (p *Printer) Warning(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.inActions() {
		p.write(annotation("warning", text))
	}
	p.line(yellow, "warning: ", text)
}

// Notice prints something that is no warning.
func (p *Printer) Notice(format string, args ...any) {
	if !p.Quiet {
		p.line("", "", fmt.Sprintf(format, args...))
	}
}

// Detail prints something for --verbose alone.
func (p *Printer) Detail(format string, args ...any) {
	if p.Verbose {
		p.line("", "", fmt.Sprintf(format, args...))
	}
}

// Colours of the word that begins a line.
const (
	red     = "\x1b[1;31m"
	yellow  = "\x1b[1;33m"
	cyan    = "\x1b[1;36m"
	noColor = "\x1b[0m"
)

// line is the one way to standard error: whatever the text quotes, the terminal
// is sent nothing but printable characters, and a CI system no command.
func (p *Printer) line(color, kind, text string) {
	if p.Colours && color != "" {
		kind = color + kind[:len(kind)-1] + noColor + kind[len(kind)-1:]
	}
	p.write(fmt.Sprintf("packvendor: %s%s\n", kind, safe.Log(printable.Text(text))))
}

// write writes whole lines.
func (p *Printer) write(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Line.Above(p.Stderr, text)
}

// Tell prints every problem, then every hint once.
func (p *Printer) Tell(problems []problem.Problem, next ...hint.Hint) {
	var hints, seconds []hint.Hint
	for _, found := range problems {
		p.once(p.Error, "error: ", found.Text)
		hints, seconds = append(hints, found.Hint), append(seconds, found.Then)
	}
	for _, h := range slices.Concat(hint.Merge(hints), hint.Merge(seconds), hint.Merge(next)) {
		p.once(func(text string) { p.line(cyan, "hint: ", text) }, "hint: ", p.Hints.Text(h))
	}
}

package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"

	"github.com/greenticai/packvendor/internal/printable"
)

// This file owns what is done to text before it leaves: whatever registries, packs and
// files say, a terminal is sent no control characters, and no CI system takes a word of
// it for a command. Each way out does it once, for all that goes that way: printer.line
// and annotation to standard error, cli.print and cli.printJSON to standard output.

// Commands to CI systems:
//
//   - "##vso[" to Azure Pipelines, "##teamcity[" to TeamCity, "##[" to older runners of
//     GitHub Actions, anywhere in a line;
//   - "::" to GitHub Actions, Gitea and Forgejo, at the beginning of a line.
var (
	bracketCommand = regexp.MustCompile(`(##[A-Za-z0-9_.-]*)\[`)
	colonCommand   = regexp.MustCompile(`(^|[\r\n])([\s\pZ\x{85}\x{FEFF}]*):(:)`)
)

// harmless is text without commands to CI systems.
func harmless(text string) string {
	return colonCommand.ReplaceAllString(withoutBrackets(text), `$1$2\x3a$3`)
}

// withoutBrackets is harmless where text does not begin a line, and has no others.
func withoutBrackets(text string) string { return bracketCommand.ReplaceAllString(text, `$1\x5b`) }

// harmlessJSON is JSON without them, which means the same: all of them are in strings.
func harmlessJSON(text string) string {
	return bracketCommand.ReplaceAllString(asciiJSON(text), `$1\u005b`)
}

// maxLine bounds a line of foreign text, in bytes: it may be a path.
const maxLine = 16 << 10

// escaped is s with what is neither printable ASCII nor white space of a text
// escaped as in Go.
func escaped(s string) string { return printable.Text(s) }

// oneLine is s, escaped, in one cell of a table.
func oneLine(s string) string { return printable.Line(s, maxLine) }

// asciiJSON is the same JSON without any character that could act upon a terminal:
// what is not ASCII stands in strings, and can be escaped there.
func asciiJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

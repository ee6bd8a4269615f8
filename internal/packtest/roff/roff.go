// Package roff writes text in the macros of man(7), for manual pages.
package roff

import (
	"fmt"
	"regexp"
	"strings"
)

// Text renders a paragraph. What code finds in it, perhaps with space before it or in double
// quotes, is in bold letters and without the quotes.
func Text(text string, code *regexp.Regexp) string {
	var b strings.Builder
	rest := 0
	for _, at := range code.FindAllStringIndex(text, -1) {
		word := text[at[0]:at[1]]
		space := word[:len(word)-len(strings.TrimLeft(word, " \n"))]
		b.WriteString(Prose(text[rest:at[0]]+space) + Code(strings.Join(strings.Fields(strings.Trim(word, " \n\"")), " ")))
		rest = at[1]
	}
	b.WriteString(Prose(text[rest:]))
	lines := strings.Split(b.String(), "\n")
	for i, text := range lines {
		lines[i] = line(text)
	}
	return strings.Join(lines, "\n")
}

// Example renders lines that stay as they are.
func Example(text string) string {
	var b strings.Builder
	b.WriteString(".RS 4\n.EX\n")
	for text := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		b.WriteString(line(Verbatim(text)) + "\n")
	}
	b.WriteString(".EE\n.RE\n")
	return b.String()
}

// Code renders words to type in bold letters. No line ends inside of one.
func Code(text string) string {
	return `\fB\%` + strings.ReplaceAll(Verbatim(text), " ", ` \%`) + `\fR`
}

// Argument renders the argument of a macro.
func Argument(text string) string {
	return `"` + strings.ReplaceAll(Prose(text), `"`, `\(dq`) + `"`
}

// Prose renders text whose hyphens and quotes are typography.
func Prose(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// verbatimCharacters are those that roff would otherwise print as typography.
var verbatimCharacters = strings.NewReplacer("-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// Verbatim renders text that is to be typed.
func Verbatim(text string) string { return verbatimCharacters.Replace(Prose(text)) }

// line makes sure that a line of text is no request.
func line(text string) string {
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		return `\&` + text
	}
	return text
}

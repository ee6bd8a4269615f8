package main

import (
	"fmt"
	"strings"
)

// roff renders blocks in the macros of man(7).
func roff(blocks []helpPart) string {
	var b strings.Builder
	for i, part := range blocks {
		if i > 0 && blocks[i-1].kind != heading && (part.kind == verbatim || part.kind == paragraph) {
			b.WriteString(".PP\n")
		}
		switch part.kind {
		case heading:
			b.WriteString(".SS " + roffArgument(part.text) + "\n")
		case verbatim:
			b.WriteString(roffExample(part.text))
		case entry:
			b.WriteString(".TP\n" + roffCode(part.terms) + "\n" + roffText(part.text) + "\n")
		default:
			b.WriteString(roffText(part.text) + "\n")
		}
	}
	return b.String()
}

// roffExample renders lines that stay as they are.
func roffExample(text string) string {
	var b strings.Builder
	b.WriteString(".RS 4\n.EX\n")
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		b.WriteString(roffLine(roffVerbatim(line)) + "\n")
	}
	b.WriteString(".EE\n.RE\n")
	return b.String()
}

// roffText renders a paragraph, with bold letters for code.
func roffText(text string) string {
	var b strings.Builder
	rest := 0
	for _, at := range code.FindAllStringIndex(text, -1) {
		word := text[at[0]:at[1]]
		space := word[:len(word)-len(strings.TrimLeft(word, " \n"))]
		b.WriteString(roffProse(text[rest:at[0]]+space) + roffCode(strings.Join(strings.Fields(strings.Trim(word, " \n\"")), " ")))
		rest = at[1]
	}
	b.WriteString(roffProse(text[rest:]))
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = roffLine(line)
	}
	return strings.Join(lines, "\n")
}

// roffCode renders words to type in bold letters. No line ends inside of one.
func roffCode(text string) string {
	return `\fB\%` + strings.ReplaceAll(roffVerbatim(text), " ", ` \%`) + `\fR`
}

// roffLine makes sure that a line of text is no request.
func roffLine(line string) string {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		return `\&` + line
	}
	return line
}

// roffArgument renders the argument of a macro.
func roffArgument(text string) string {
	return `"` + strings.ReplaceAll(roffProse(text), `"`, `\(dq`) + `"`
}

// roffProse renders text whose hyphens and quotes are typography.
func roffProse(text string) string {
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

// roffVerbatim renders text that is to be typed.
func roffVerbatim(text string) string { return verbatimCharacters.Replace(roffProse(text)) }

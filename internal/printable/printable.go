// Package printable makes foreign text safe to print: text of registries, packs, files
// and other programs.
//
// A terminal obeys control characters, bidirectional marks reorder a line, characters
// of other scripts look like ASCII, and a line break begins a line that may pass for
// one of packvendor's. So printable ASCII passes, and all else is escaped as in Go.
// A bound keeps a megabyte of foreign text from burying the message around it; what is
// cut off ends in an ellipsis. JSON is escaped as JSON, and keeps its meaning.
package printable

import (
	"strconv"
	"strings"
)

const ellipsis = "..."

// Quote returns the first most bytes of s, quoted as in Go: for a place where the
// reader must see where foreign text begins and ends.
func Quote(s string, most int) string {
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + ellipsis
	}
	return strconv.QuoteToASCII(s)
}

// Phrase returns s as it is if it has at most most bytes and Quote would escape
// nothing; otherwise Quote. Blanks pass: for a name that ends at a comma or a line end.
func Phrase(s string, most int) string {
	if quoted := Quote(s, most); quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

// Word is Phrase that quotes blanks as well: for a value in the middle of a sentence.
func Word(s string, most int) string {
	if strings.Contains(s, " ") {
		return Quote(s, most)
	}
	return Phrase(s, most)
}

// Line returns s as at most most bytes of one line: for a message that has quotation
// marks of its own, which pass.
func Line(s string, most int) string {
	line := escape(s, "")
	if len(line) > most {
		return line[:most] + ellipsis
	}
	return line
}

// Text is Line that lets tabs and line breaks pass, and has no bound: for a text that
// consists of bounded parts.
func Text(s string) string { return escape(s, "\t\n") }

// escape escapes each character that is neither printable ASCII nor in passing.
func escape(s, passing string) string {
	var b strings.Builder
	for _, r := range s {
		if ' ' <= r && r <= '~' || strings.ContainsRune(passing, r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// Package safe makes text harmless.
//
// Whatever registries, packs and files say, a terminal is sent no control characters, and
// no CI system takes a word of it for a command. Each way out does it once, for all that
// goes that way.
package safe

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/lazyregexp"
	"github.com/greenticai/packvendor/internal/printable"
)

// colonCommand begins a command to GitHub Actions, Gitea and Forgejo: "::" at the beginning of a
// line. Other commands are those of [printable.EscapeCommands].
var colonCommand = lazyregexp.MustCompile(`(^|[\r\n])([\s\pZ\x{85}\x{FEFF}]*):(:)`)

// Log escapes commands to CI systems in text that may begin a line.
func Log(text string) string {
	return colonCommand().ReplaceAllString(Inline(text), `$1$2\x3a$3`)
}

// Inline escapes commands to CI systems in text that does not begin a line.
func Inline(text string) string { return printable.EscapeCommands(text, `\x5b`) }

// IsHarmless tells whether no terminal and no CI system would obey anything in text: for bytes of
// others that must be printed as they are.
func IsHarmless(text string) bool {
	if !utf8.ValidString(text) || Log(text) != text {
		return false
	}
	text = strings.TrimPrefix(text, "\ufeff") // many files of Windows begin with it
	return !strings.ContainsFunc(strings.ReplaceAll(text, "\r\n", "\n"), func(r rune) bool {
		return !unicode.IsGraphic(r) && r != '\n' && r != '\t'
	})
}

// maxLine bounds a line of foreign text, in bytes: it may be a path.
const maxLine = 16 << 10

// Line is s, escaped, in one cell of a table.
func Line(s string) string { return printable.Line(s, maxLine) }

// maxName bounds a name, in bytes.
const maxName = 200

// Name is the name of a file in a pack, escaped, its end cut off if it is long.
func Name(s string) string { return printable.Line(s, maxName) }

// Word is s, quoted if it holds anything but printable ASCII.
func Word(s string) string { return printable.Phrase(s, maxLine) }

// Code is text of printable characters as code, in which Markdown means nothing, nor
// does HTML or the name of a user; also in a table.
func Code(text string) string {
	return "`" + strings.NewReplacer("`", `\x60`, "|", `\x7c`).Replace(text) + "`"
}

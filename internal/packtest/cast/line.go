package cast

import (
	"fmt"
	"regexp"
	"strings"
)

// A span is text with one look: the parameters of the escape sequence SGR that set it.
type span struct{ text, look string }

// A line is one on a terminal.
type line []span

func (l line) String() string {
	var b strings.Builder
	for _, span := range l {
		b.WriteString(span.text)
	}
	return b.String()
}

func (l line) width() int { return len([]rune(l.String())) }

// escaped returns the line with the escape sequences that make it.
func (l line) escaped() string {
	var b strings.Builder
	for _, span := range l {
		if span.look != "" {
			fmt.Fprintf(&b, "\x1b[%sm%s\x1b[0m", span.look, span.text)
		} else {
			b.WriteString(span.text)
		}
	}
	return b.String()
}

const tab = 8

// sequence finds what is no text: a control sequence, or a control character.
var sequence = regexp.MustCompile("\x1b\\[([0-9;]*)([A-Za-z])|[\x00-\x1f]")

// read returns the lines that are on a terminal after output; "\r" and the erasing of a
// line are all that may move its cursor.
func read(output string) ([]line, error) {
	var lines []line
	var current line
	look, returned := "", false
	write := func(text string) {
		if text == "" {
			return
		}
		if returned {
			current, returned = nil, false
		}
		current = append(current, span{text, look})
	}
	rest := output
	for rest != "" {
		at := sequence.FindStringSubmatchIndex(rest)
		if at == nil {
			write(rest)
			break
		}
		write(rest[:at[0]])
		what := rest[at[0]:at[1]]
		switch {
		case what == "\n":
			lines, current, returned = append(lines, current), nil, false
		case what == "\t":
			write(strings.Repeat(" ", tab-current.width()%tab))
		case what == "\r":
			returned = true
		case strings.HasSuffix(what, "K"):
			current, returned = nil, false
		case strings.HasSuffix(what, "m"):
			look = rest[at[2]:at[3]]
			if look == "0" {
				look = ""
			}
		default:
			return nil, fmt.Errorf("the terminal received %q, which is not known here", what)
		}
		rest = rest[at[1]:]
	}
	if len(current) > 0 {
		lines = append(lines, current)
	}
	return lines, nil
}

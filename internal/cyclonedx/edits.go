package cyclonedx

import (
	"bytes"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/strictjson"
)

// space are the characters between the tokens of JSON.
const space = " \t\r\n"

// Bounds of space that is repeated, in bytes: it is anybody's, and stands in each line of a pack.
const (
	maxUnit  = 16 // one level of indentation
	maxSpace = 64 // from one value to the next
)

// edits are insertions into a JSON text, in the style of that text.
type edits struct {
	text []byte
	list []insertion

	// Of the text: what ends its lines, and the indentation of one level. Both are "" if the root
	// is on one line, or indented too far: then so is all that is inserted on one line.
	eol, unit string
}

type insertion struct {
	at   int
	text string
}

// learn finds out the style of the text, by what stands before the first member of the root.
func (e *edits) learn(root strictjson.Span) {
	before := e.leading(root)
	line := strings.LastIndexByte(before, '\n')
	if line < 0 || len(before)-line-1 > maxUnit {
		return
	}
	if e.eol = "\n"; strings.Contains(before, "\r\n") {
		e.eol = "\r\n"
	}
	e.unit = before[line+1:]
}

// leading is the space between the first bracket of an object or a list and what follows; "" if
// it is long.
func (e *edits) leading(s strictjson.Span) string {
	inner := e.text[min(s.Start+1, s.End):s.End]
	return short(inner[:len(inner)-len(bytes.TrimLeft(inner, space))])
}

// addTo adds values at the end of a list.
func (e *edits) addTo(list strictjson.Span, values []any) {
	e.add(list, func(indent, unit string) []string {
		var texts []string
		for _, value := range values {
			texts = append(texts, string(encode(value, indent, unit)))
		}
		return texts
	})
}

// addMember adds a member at the end of an object.
func (e *edits) addMember(object strictjson.Span, key string, value any) {
	e.add(object, func(indent, unit string) []string {
		colon := ":"
		if unit != "" {
			colon = ": "
		}
		return []string{string(encode(key, "", "")) + colon + string(encode(value, indent, unit))}
	})
}

// add adds items at the end of an object or a list. items returns their texts: with that
// indentation or, if both are "", on one line.
func (e *edits) add(s strictjson.Span, items func(indent, unit string) []string) {
	if s.End == 0 { // it was not read: there is an error
		return
	}
	filled := bytes.TrimRight(e.text[s.Start+1:s.End-1], space)
	before, after := e.leading(s), ""
	if len(filled) == 0 && e.eol != "" {
		outer := e.indentation(s.Start)
		before, after = e.eol+outer+e.unit, e.eol+outer
	}
	indent, unit := "", ""
	if line := strings.LastIndexByte(before, '\n'); line >= 0 && e.unit != "" {
		indent, unit = before[line+1:], e.unit
	}
	text := before + strings.Join(items(indent, unit), ","+before) + after
	if len(filled) > 0 {
		text = "," + text
	}
	if unit != "" && e.eol != "\n" {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", e.eol)
	}
	e.list = append(e.list, insertion{s.Start + 1 + len(filled), text})
}

// indentation is the space at the beginning of the line of a character; "" if it is long.
func (e *edits) indentation(at int) string {
	line := e.text[bytes.LastIndexByte(e.text[:at], '\n')+1 : at]
	return short(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// short is space, or "" if it is longer than maxSpace.
func short(space []byte) string {
	if len(space) > maxSpace {
		return ""
	}
	return string(space)
}

// apply returns the text with the insertions. Those at one place keep their order.
func (e *edits) apply() []byte {
	slices.SortStableFunc(e.list, func(a, b insertion) int { return a.at - b.at })
	var b bytes.Buffer
	rest := 0
	for _, i := range e.list {
		b.Write(e.text[rest:i.at])
		b.WriteString(i.text)
		rest = i.at
	}
	b.Write(e.text[rest:])
	return b.Bytes()
}

// Package tomltext reads TOML that may be hostile. It bounds the shape of a text before the
// TOML library sees it: that recurses without bound, and keeps the whole path of every key.
//
// Scanners of one kind of file embed a Text. They know the places of keys and values, which
// the library does not.
package tomltext

import (
	"bytes"
	"fmt"
	"sort"
	"unicode/utf8"
)

// Bounds on the path of a key.
const (
	MaxDepth     = 16   // parts, arrays counted
	MaxPathBytes = 1024 // of the key and the tables around it
)

// An Error says why a text cannot be read.
type Error struct {
	Line int    // 1-based; 0 for the whole text
	Msg  string // one line
}

func (e *Error) Error() string { return e.Msg }

// A Text is a TOML text that is read from front to back: keys, strings, brackets, line ends.
type Text struct {
	Data []byte
	Pos  int // of the next byte

	// Parts counts the parts of keys, and the arrays, so far.
	Parts int

	maxParts int
	newlines []int // offsets of every '\n', ascending
}

// New returns a Text that may have so many parts of keys, and arrays.
func New(data []byte, maxParts int) *Text {
	t := &Text{Data: data, maxParts: maxParts}
	for i, c := range data {
		if c == '\n' {
			t.newlines = append(t.newlines, i)
		}
	}
	return t
}

// A Depth is the part of the bounds that a path uses.
type Depth struct{ parts, bytes int }

// Descend returns the depth one part of so many bytes below d.
func (t *Text) Descend(d Depth, bytes int) (Depth, error) {
	d.parts, d.bytes = d.parts+1, d.bytes+bytes
	t.Parts++
	switch {
	case t.Parts > t.maxParts:
		return d, t.FailAt(t.Pos, "more than %d keys and arrays", t.maxParts)
	case d.parts > MaxDepth:
		return d, t.FailAt(t.Pos, "nested more than %d levels deep", MaxDepth)
	case d.bytes > MaxPathBytes:
		return d, t.FailAt(t.Pos, "a key and the tables around it have more than %d bytes", MaxPathBytes)
	}
	return d, nil
}

// List reads the elements between two brackets, and both brackets. want says what may follow
// an element.
func (t *Text) List(closing byte, want string, element func() error) error {
	for t.Pos++; ; t.Pos++ {
		t.SkipSpace()
		if t.Peek() == closing {
			break
		}
		if err := element(); err != nil {
			return err
		}
		t.SkipSpace()
		if t.Peek() != ',' {
			break
		}
	}
	if t.Peek() != closing {
		return t.Unexpected(want)
	}
	t.Pos++
	return nil
}

// String reads a string of any kind.
func (t *Text) String() error {
	if c := t.Peek(); t.PeekAt(t.Pos+1) == c && t.PeekAt(t.Pos+2) == c {
		return t.longString()
	}
	return t.ShortString()
}

// ShortString reads a string in single quotation marks of either kind.
func (t *Text) ShortString() error {
	start, quote := t.Pos, t.Peek()
	for t.Pos++; t.Peek() != quote; t.Pos++ {
		if t.Peek() == '\\' && quote == '"' {
			t.Pos++
		}
		if c := t.Peek(); c == 0 || c == '\n' {
			return t.FailAt(start, "a string is not closed before the end of its line")
		}
	}
	t.Pos++
	return nil
}

// longString reads a string in triple quotation marks. One or two more of them may precede
// the closing three.
func (t *Text) longString() error {
	start, quote, run := t.Pos, t.Peek(), 0
	for t.Pos += 3; ; t.Pos++ {
		c := t.Peek()
		if c == quote {
			run++
			continue
		}
		if run >= 3 {
			return nil
		}
		if c == 0 {
			return t.FailAt(start, "a multi-line string is not closed")
		}
		run = 0
		if c == '\\' && quote == '"' && t.PeekAt(t.Pos+1) != 0 {
			t.Pos++
		}
	}
}

// Scalar reads a number, a date or a boolean, which the library checks. A date may hold one
// space.
func (t *Text) Scalar() error {
	start := t.Pos
	for c := t.Peek(); IsBare(c) || c == ' ' || c == '+' || c == '.' || c == ':'; c = t.Peek() {
		t.Pos++
	}
	if t.Pos == start {
		return t.Unexpected("a value")
	}
	for t.Data[t.Pos-1] == ' ' { // the first byte is no space: blanks are skipped
		t.Pos--
	}
	return nil
}

// Bare reads a part of a key without quotation marks.
func (t *Text) Bare() (string, error) {
	start := t.Pos
	for IsBare(t.Peek()) {
		t.Pos++
	}
	if t.Pos == start {
		return "", t.Unexpected("a key")
	}
	return string(t.Data[start:t.Pos]), nil
}

// IsBare tells whether a byte may stand in a part of a key without quotation marks.
func IsBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// EndLine reads blanks and a comment, up to the end of the line or the text.
func (t *Text) EndLine() error {
	t.SkipBlanks()
	t.SkipComment()
	if c := t.Peek(); c == '\n' || c == '\r' || t.Pos == len(t.Data) {
		return nil
	}
	return t.Unexpected("the end of the line")
}

// SkipSpace skips blanks, line ends and comments.
func (t *Text) SkipSpace() {
	for {
		t.SkipBlanks()
		t.SkipComment()
		if c := t.Peek(); c != '\n' && c != '\r' {
			return
		}
		t.Pos++
	}
}

// SkipBlanks skips spaces and tabs.
func (t *Text) SkipBlanks() {
	for c := t.Peek(); c == ' ' || c == '\t'; c = t.Peek() {
		t.Pos++
	}
}

// SkipComment skips a comment, up to the end of the line.
func (t *Text) SkipComment() {
	if t.Peek() != '#' {
		return
	}
	if n := bytes.IndexAny(t.Data[t.Pos:], "\n\x00"); n >= 0 {
		t.Pos += n
	} else {
		t.Pos = len(t.Data)
	}
}

// Peek returns the next byte; 0 at the end, and for NUL, which no TOML has.
func (t *Text) Peek() byte { return t.PeekAt(t.Pos) }

// PeekAt returns the byte at an offset, as Peek.
func (t *Text) PeekAt(offset int) byte {
	if offset >= len(t.Data) {
		return 0
	}
	return t.Data[offset]
}

// LineAt returns the line of an offset, 1-based.
func (t *Text) LineAt(offset int) int { return 1 + sort.SearchInts(t.newlines, offset) }

// FailAt returns an *Error about the line of an offset.
func (t *Text) FailAt(offset int, format string, args ...any) error {
	return &Error{Line: t.LineAt(offset), Msg: fmt.Sprintf(format, args...)}
}

// Unexpected returns an *Error about the next byte, in the place of what is wanted.
func (t *Text) Unexpected(want string) error {
	got := "the end of the file"
	if c := t.Peek(); c == '\n' || c == '\r' {
		got = "the end of the line"
	} else if t.Pos < len(t.Data) {
		r, _ := utf8.DecodeRune(t.Data[t.Pos:])
		got = fmt.Sprintf("%+q", r)
	}
	return t.FailAt(t.Pos, "expected %s, not %s", want, got)
}

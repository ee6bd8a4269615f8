package packsfile

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/tomltext"
)

// A scanner finds the places of keys and values in a TOML text; the TOML library knows
// their meaning but not their places. It reads only the shape (keys, strings, brackets,
// line ends) of TOML 1.0 and 1.1, and refuses a text that it cannot follow.
type scanner struct {
	*tomltext.Text
	doc   *document
	table *node          // the table that the last header opened
	depth tomltext.Depth // of that header
}

func newScanner(data []byte) *scanner {
	root := &node{form: header}
	return &scanner{Text: tomltext.New(data, maxParts), doc: &document{data: data, root: root}, table: root}
}

// scannerAt reads a text that was scanned once more, from a place on.
func (d *document) scannerAt(pos int) *scanner {
	return &scanner{Text: &tomltext.Text{Data: d.data, Pos: pos}}
}

// scan reads the whole file. Its errors are *tomltext.Error.
func (s *scanner) scan() error {
	if err := s.checkText(); err != nil {
		return err
	}
	if bytes.HasPrefix(s.Data, []byte(byteOrderMark)) {
		s.Pos = len(byteOrderMark)
	}
	for s.Pos < len(s.Data) {
		if err := s.statement(); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses bytes that no TOML file may hold, so that everything after it reads
// sane text.
func (s *scanner) checkText() error {
	if len(s.Data) > MaxSize {
		return &tomltext.Error{Msg: fmt.Sprintf("the file is larger than %d bytes", MaxSize)}
	}
	for i := 0; i < len(s.Data); {
		r, n := utf8.DecodeRune(s.Data[i:])
		if r == utf8.RuneError && n == 1 {
			return s.FailAt(i, "invalid UTF-8")
		}
		newline := r == '\n' || r == '\r' && s.PeekAt(i+1) == '\n'
		if (r < ' ' || r == 0x7f) && r != '\t' && !newline {
			return s.FailAt(i, "control character %U", r)
		}
		i += n
	}
	return nil
}

// statement reads one header, one key with its value, one comment or one
// blank line, through the end of its last line.
func (s *scanner) statement() error {
	var st statement
	start := s.Pos
	s.SkipBlanks()
	var err error
	switch s.Peek() {
	case '#', '\r', '\n', 0:
		return s.endLine()
	case '[':
		st, err = s.header()
	default:
		st, err = s.pair(s.table, s.depth)
	}
	if err != nil {
		return err
	}
	if err := s.endLine(); err != nil {
		return err
	}
	st.whole = span{start, s.Pos}
	s.doc.statements = append(s.doc.statements, st)
	return nil
}

func (s *scanner) header() (statement, error) {
	start := s.Pos
	open, form := "[", header
	if s.PeekAt(s.Pos+1) == '[' {
		open, form = "[[", tableArray
	}
	s.Pos += len(open)
	s.SkipBlanks()
	parts, below, err := s.key(tomltext.Depth{})
	if err != nil {
		return statement{}, err
	}
	closing := strings.Repeat("]", len(open))
	if !bytes.HasPrefix(s.Data[s.Pos:], []byte(closing)) {
		return statement{}, s.Unexpected(fmt.Sprintf("%q after the table's name", closing))
	}
	s.Pos += len(closing)
	s.table, s.depth = s.attach(s.doc.root, parts, form), below
	return statement{key: span{start, s.Pos}, isHeader: true, table: s.table, node: s.table}, nil
}

// pair reads `key = value` into parent.
func (s *scanner) pair(parent *node, above tomltext.Depth) (statement, error) {
	start := s.Pos
	parts, at, err := s.key(above)
	if err != nil {
		return statement{}, err
	}
	last := parts[len(parts)-1].at
	if s.Peek() != '=' {
		return statement{}, s.Unexpected("'=' after the key")
	}
	s.Pos++
	s.SkipBlanks()
	n := s.attach(parent, parts, leaf)
	value := s.Pos
	if err := s.value(n, at); err != nil {
		return statement{}, err
	}
	n.value = span{value, s.Pos}
	return statement{
		whole: span{start, s.Pos}, key: span{start, last.end}, last: last.start, value: n.value,
		table: parent, first: parent.child(parts[0].text), node: n,
	}, nil
}

// attach finds or makes the node that parts lead to from parent and returns it. If TOML
// forbids a new value there, attach records the conflict and returns a node that
// belongs to nothing. It does not report the conflict yet, since the TOML library
// mostly has better words for it.
func (s *scanner) attach(parent *node, parts []keyPart, f form) *node {
	for _, part := range parts[:len(parts)-1] {
		parent = s.step(parent, part)
		if parent.form == leaf || parent.form == inline {
			return s.conflict(part)
		}
	}
	last := parts[len(parts)-1]
	known := parent.child(last.text)
	n := s.step(parent, last)
	switch {
	case known == nil || f == header && known.form == implied:
	case f == tableArray && known.form == tableArray:
		n.children, n.byKey = nil, nil
	default:
		return s.conflict(last)
	}
	n.form = f
	return n
}

func (s *scanner) step(parent *node, part keyPart) *node {
	if n := parent.child(part.text); n != nil {
		return n
	}
	n := &node{key: part.text, line: s.LineAt(part.at.start), offset: part.at.start, parent: parent}
	if parent.byKey == nil {
		parent.byKey = make(map[string]*node)
	}
	parent.byKey[n.key] = n
	parent.children = append(parent.children, n)
	return n
}

func (s *scanner) conflict(part keyPart) *node {
	if s.doc.conflict == 0 {
		s.doc.conflict = s.LineAt(part.at.start)
	}
	return new(node)
}

// endLine reads blanks, a comment and the end of the line or the file.
func (s *scanner) endLine() error {
	if err := s.EndLine(); err != nil {
		return err
	}
	s.skipNewline()
	return nil
}

func (s *scanner) skipNewline() bool {
	if s.Peek() == '\r' { // checkText saw the '\n' after it
		s.Pos++
	}
	if s.Peek() != '\n' {
		return false
	}
	s.Pos++
	return true
}

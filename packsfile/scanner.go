package packsfile

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// A scanner finds the places of keys and values in a TOML text; the TOML library knows
// their meaning but not their places. It reads only the shape (keys, strings, brackets,
// line ends) of TOML 1.0 and 1.1, and refuses a text that it cannot follow.
type scanner struct {
	data     []byte
	pos      int
	newlines []int // offsets of every '\n', ascending
	doc      *document
	table    *node // the table that the last header opened
	depth    depth // of that header
	parts    int   // number of parts read, of all keys
}

func newScanner(data []byte) *scanner {
	root := &node{form: header}
	return &scanner{data: data, doc: &document{data: data, root: root}, table: root}
}

// scan reads the whole file. Its errors are *SyntaxError without a file name.
func (s *scanner) scan() error {
	if err := s.checkText(); err != nil {
		return err
	}
	if bytes.HasPrefix(s.data, []byte(byteOrderMark)) {
		s.pos = len(byteOrderMark)
	}
	for s.pos < len(s.data) {
		if err := s.statement(); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses bytes that no TOML file may hold, so that everything after it reads
// sane text, and counts the lines.
func (s *scanner) checkText() error {
	if len(s.data) > MaxSize {
		return &SyntaxError{Msg: fmt.Sprintf("the file is larger than %d bytes", MaxSize)}
	}
	for i := 0; i < len(s.data); {
		r, n := utf8.DecodeRune(s.data[i:])
		if r == utf8.RuneError && n == 1 {
			return s.failAt(i, "invalid UTF-8")
		}
		newline := r == '\n' || r == '\r' && s.peekAt(i+1) == '\n'
		if (r < ' ' || r == 0x7f) && r != '\t' && !newline {
			return s.failAt(i, "control character %U", r)
		}
		if r == '\n' {
			s.newlines = append(s.newlines, i)
		}
		i += n
	}
	return nil
}

// statement reads one header, one key with its value, one comment or one
// blank line, through the end of its last line.
func (s *scanner) statement() error {
	var st statement
	start := s.pos
	s.skipBlanks()
	var err error
	switch s.peek() {
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
	st.whole = span{start, s.pos}
	s.doc.statements = append(s.doc.statements, st)
	return nil
}

func (s *scanner) header() (statement, error) {
	start := s.pos
	open, form := "[", header
	if s.peekAt(s.pos+1) == '[' {
		open, form = "[[", tableArray
	}
	s.pos += len(open)
	s.skipBlanks()
	parts, below, err := s.key(depth{})
	if err != nil {
		return statement{}, err
	}
	closing := strings.Repeat("]", len(open))
	if !bytes.HasPrefix(s.data[s.pos:], []byte(closing)) {
		return statement{}, s.unexpected(fmt.Sprintf("%q after the table's name", closing))
	}
	s.pos += len(closing)
	s.table, s.depth = s.attach(s.doc.root, parts, form), below
	return statement{key: span{start, s.pos}, isHeader: true, table: s.table, node: s.table}, nil
}

// pair reads `key = value` into parent.
func (s *scanner) pair(parent *node, above depth) (statement, error) {
	start := s.pos
	parts, at, err := s.key(above)
	if err != nil {
		return statement{}, err
	}
	last := parts[len(parts)-1].at
	if s.peek() != '=' {
		return statement{}, s.unexpected("'=' after the key")
	}
	s.pos++
	s.skipBlanks()
	n := s.attach(parent, parts, leaf)
	value := s.pos
	if err := s.value(n, at); err != nil {
		return statement{}, err
	}
	n.value = span{value, s.pos}
	return statement{
		whole: span{start, s.pos}, key: span{start, last.end}, last: last.start, value: n.value,
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
	n := &node{key: part.text, line: s.lineAt(part.at.start), offset: part.at.start, parent: parent}
	if parent.byKey == nil {
		parent.byKey = make(map[string]*node)
	}
	parent.byKey[n.key] = n
	parent.children = append(parent.children, n)
	return n
}

func (s *scanner) conflict(part keyPart) *node {
	if s.doc.conflict == 0 {
		s.doc.conflict = s.lineAt(part.at.start)
	}
	return new(node)
}

// endLine reads blanks, a comment and the end of the line or the file.
func (s *scanner) endLine() error {
	s.skipBlanks()
	s.skipComment()
	if s.skipNewline() || s.pos == len(s.data) {
		return nil
	}
	return s.unexpected("the end of the line")
}

// skipSpace skips blanks, comments and line ends between the parts of an array or an
// inline table.
func (s *scanner) skipSpace() {
	for {
		s.skipBlanks()
		s.skipComment()
		if !s.skipNewline() {
			return
		}
	}
}

func (s *scanner) skipBlanks() {
	for c := s.peek(); c == ' ' || c == '\t'; c = s.peek() {
		s.pos++
	}
}

func (s *scanner) skipComment() {
	if s.peek() != '#' {
		return
	}
	for c := s.peek(); c != 0 && c != '\r' && c != '\n'; c = s.peek() {
		s.pos++
	}
}

func (s *scanner) skipNewline() bool {
	if s.peek() == '\r' { // checkText saw the '\n' after it
		s.pos++
	}
	if s.peek() != '\n' {
		return false
	}
	s.pos++
	return true
}

// peek returns the byte at the scanner's place, 0 at the end of the file:
// checkText has refused NUL bytes.
func (s *scanner) peek() byte { return s.peekAt(s.pos) }

func (s *scanner) peekAt(i int) byte {
	if i >= len(s.data) {
		return 0
	}
	return s.data[i]
}

func (s *scanner) lineAt(offset int) int {
	return 1 + sort.SearchInts(s.newlines, offset)
}

func (s *scanner) failAt(offset int, format string, args ...any) error {
	return &SyntaxError{Line: s.lineAt(offset), Msg: fmt.Sprintf(format, args...)}
}

func (s *scanner) unexpected(want string) error {
	got := "the end of the file"
	switch c := s.peek(); c {
	case 0:
	case '\r', '\n':
		got = "the end of the line"
	default:
		r, _ := utf8.DecodeRune(s.data[s.pos:])
		got = fmt.Sprintf("%+q", r)
	}
	return s.failAt(s.pos, "expected %s, not %s", want, got)
}

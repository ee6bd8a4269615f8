package mirrors

import (
	"bytes"
	"fmt"
	"sort"
)

// Bounds on a text. The TOML library recurses without bound, and keeps the whole path of
// every key.
const (
	maxDepth     = 16     // tables and arrays around a value
	maxPathBytes = 1024   // of a key and the tables around it, as written
	maxParts     = 50_000 // of all keys, and arrays
)

// A place is where a value begins, and what is in it. The TOML library knows the values,
// but not their places.
type place struct {
	line  int // 1-based
	keys  map[string]*place
	items []*place // of an array
}

func (p *place) key(name string) *place {
	if p == nil {
		return nil
	}
	return p.keys[name]
}

func (p *place) item(i int) *place {
	if p == nil || i >= len(p.items) {
		return nil
	}
	return p.items[i]
}

// latest returns the place to which keys belong: of an array of tables, its last table.
func (p *place) latest() *place {
	if n := len(p.items); n > 0 {
		return p.items[n-1]
	}
	return p
}

// A scanner reads the shape of TOML: keys, strings, brackets, line ends. It leaves most
// errors to the library, but keeps hostile texts from it.
type scanner struct {
	data     []byte
	pos      int
	newlines []int // offsets of every '\n', ascending
	parts    int
}

// A depth is the part of the bounds that a path uses.
type depth struct{ parts, bytes int }

// scan returns the places of a text. Its errors are *Error without a file name.
func scan(data []byte) (*place, error) {
	s := &scanner{data: data}
	if len(data) > MaxSize {
		return nil, &Error{Msg: fmt.Sprintf("the file is larger than %d bytes", MaxSize)}
	}
	for i, c := range data {
		if c == '\n' {
			s.newlines = append(s.newlines, i)
		}
	}
	for _, mark := range []string{"\ufeff", "\xfe\xff", "\xff\xfe"} { // as the library
		if bytes.HasPrefix(data, []byte(mark)) {
			s.pos = len(mark)
			break
		}
	}
	root := &place{line: 1}
	current, above := root, depth{}
	for {
		s.skipSpace()
		var err error
		switch s.peek() {
		case 0:
			if s.pos < len(data) {
				return nil, s.unexpected("a key")
			}
			return root, nil
		case '[':
			current, above, err = s.header(root)
		default:
			err = s.pair(current, above)
		}
		if err == nil {
			err = s.endLine()
		}
		if err != nil {
			return nil, err
		}
	}
}

// header reads [name] or [[name]], and returns the place that it opens.
func (s *scanner) header(root *place) (*place, depth, error) {
	line, closing := s.line(), "]"
	s.pos++
	if s.peek() == '[' {
		s.pos++
		closing = "]]"
	}
	s.skipBlanks()
	parent, name, at, err := s.key(root, depth{})
	if err != nil {
		return nil, at, err
	}
	if !bytes.HasPrefix(s.data[s.pos:], []byte(closing)) {
		return nil, at, s.unexpected(fmt.Sprintf("%q after the table's name", closing))
	}
	s.pos += len(closing)
	p := s.step(parent, name)
	if closing == "]]" {
		p.items = append(p.items, &place{line: line})
	}
	return p.latest(), at, nil
}

// pair reads key = value into a table.
func (s *scanner) pair(in *place, above depth) error {
	line := s.line()
	parent, name, at, err := s.key(in, above)
	if err != nil {
		return err
	}
	if s.peek() != '=' {
		return s.unexpected("'=' after the key")
	}
	s.pos++
	s.skipBlanks()
	p := s.step(parent, name)
	p.line = line
	return s.value(p, at)
}

// key reads a dotted key and the blanks after it. It returns the place around its last
// part, and that part.
func (s *scanner) key(in *place, above depth) (parent *place, name string, at depth, err error) {
	for at = above; ; s.skipBlanks() {
		if name, err = s.part(); err != nil {
			return nil, "", at, err
		}
		if at, err = s.descend(at, len(name)); err != nil {
			return nil, "", at, err
		}
		s.skipBlanks()
		if s.peek() != '.' {
			return in, name, at, nil
		}
		s.pos++
		in = s.step(in, name).latest()
	}
}

// step returns the place of a key in a table.
func (s *scanner) step(in *place, name string) *place {
	if p := in.keys[name]; p != nil {
		return p
	}
	if in.keys == nil {
		in.keys = map[string]*place{}
	}
	p := &place{line: s.line()}
	in.keys[name] = p
	return p
}

// part reads one part of a key. Escapes stay as they are: no known key has one.
func (s *scanner) part() (string, error) {
	start := s.pos
	if c := s.peek(); c == '"' || c == '\'' {
		if err := s.shortString(); err != nil {
			return "", err
		}
		return string(s.data[start+1 : s.pos-1]), nil
	}
	for isBare(s.peek()) {
		s.pos++
	}
	if s.pos == start {
		return "", s.unexpected("a key")
	}
	return string(s.data[start:s.pos]), nil
}

func (s *scanner) descend(d depth, bytes int) (depth, error) {
	d.parts, d.bytes = d.parts+1, d.bytes+bytes
	s.parts++
	switch {
	case s.parts > maxParts:
		return d, s.errorf("more than %d keys and arrays", maxParts)
	case d.parts > maxDepth:
		return d, s.errorf("nested more than %d levels deep", maxDepth)
	case d.bytes > maxPathBytes:
		return d, s.errorf("a key and the tables around it have more than %d bytes", maxPathBytes)
	}
	return d, nil
}

// value reads one value into its place.
func (s *scanner) value(p *place, at depth) error {
	switch c := s.peek(); {
	case c == '[':
		return s.array(p, at)
	case c == '{':
		return s.inlineTable(p, at)
	case (c == '"' || c == '\'') && s.peekAt(1) == c && s.peekAt(2) == c:
		return s.longString()
	case c == '"' || c == '\'':
		return s.shortString()
	}
	start := s.pos
	for c := s.peek(); isBare(c) || c == '+' || c == '.' || c == ':' || c == ' '; c = s.peek() {
		s.pos++
	}
	if s.pos == start {
		return s.unexpected("a value")
	}
	return nil
}

func (s *scanner) array(p *place, above depth) error {
	at, err := s.descend(above, 0)
	if err != nil {
		return err
	}
	for s.pos++; ; s.pos++ {
		s.skipSpace()
		if s.peek() == ']' {
			break
		}
		item := &place{line: s.line()}
		if err := s.value(item, at); err != nil {
			return err
		}
		if item.keys != nil || item.items != nil || s.data[s.pos-1] == '}' {
			p.items = append(p.items, item)
		}
		s.skipSpace()
		if s.peek() != ',' {
			break
		}
	}
	if s.peek() != ']' {
		return s.unexpected("',' or ']' in an array")
	}
	s.pos++
	return nil
}

func (s *scanner) inlineTable(p *place, at depth) error {
	for s.pos++; ; s.pos++ {
		s.skipSpace()
		if s.peek() == '}' {
			break
		}
		if err := s.pair(p, at); err != nil {
			return err
		}
		s.skipSpace()
		if s.peek() != ',' {
			break
		}
	}
	if s.peek() != '}' {
		return s.unexpected("',' or '}' in an inline table")
	}
	s.pos++
	return nil
}

// shortString reads a string in single quotation marks of either kind.
func (s *scanner) shortString() error {
	quote := s.peek()
	for s.pos++; s.peek() != quote; s.pos++ {
		if s.peek() == '\\' && quote == '"' {
			s.pos++
		}
		if c := s.peek(); c == 0 || c == '\n' {
			return s.errorf("a string is not closed before the end of its line")
		}
	}
	s.pos++
	return nil
}

// longString reads a string in triple quotation marks. One or two more of them may precede
// the closing three.
func (s *scanner) longString() error {
	quote, run := s.peek(), 0
	for s.pos += 3; ; s.pos++ {
		c := s.peek()
		if c == quote {
			run++
			continue
		}
		if run >= 3 {
			return nil
		}
		if c == 0 {
			return s.errorf("a multi-line string is not closed")
		}
		run = 0
		if c == '\\' && quote == '"' && s.peekAt(1) != 0 {
			s.pos++
		}
	}
}

// endLine reads blanks, a comment and the end of the line or the text.
func (s *scanner) endLine() error {
	s.skipBlanks()
	s.skipComment()
	if c := s.peek(); c == '\n' || c == '\r' || s.pos == len(s.data) {
		return nil
	}
	return s.unexpected("the end of the line")
}

// skipSpace skips blanks, line ends and comments.
func (s *scanner) skipSpace() {
	for {
		s.skipBlanks()
		s.skipComment()
		if c := s.peek(); c != '\n' && c != '\r' {
			return
		}
		s.pos++
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
	for c := s.peek(); c != 0 && c != '\n'; c = s.peek() {
		s.pos++
	}
}

// peek returns the byte at the scanner's place; 0 at the end, and for NUL, which no TOML
// has.
func (s *scanner) peek() byte { return s.peekAt(0) }

func (s *scanner) peekAt(n int) byte {
	if s.pos+n >= len(s.data) {
		return 0
	}
	return s.data[s.pos+n]
}

func isBare(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func (s *scanner) line() int { return 1 + sort.SearchInts(s.newlines, s.pos) }

func (s *scanner) errorf(format string, args ...any) error {
	return &Error{Position: Position{Line: s.line()}, Msg: fmt.Sprintf(format, args...)}
}

func (s *scanner) unexpected(want string) error {
	got := "the end of the file"
	if c := s.peek(); c == '\n' || c == '\r' {
		got = "the end of the line"
	} else if s.pos < len(s.data) {
		got = fmt.Sprintf("%+q", c)
	}
	return s.errorf("expected %s, not %s", want, got)
}

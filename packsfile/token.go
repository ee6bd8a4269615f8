package packsfile

import (
	"bytes"

	"github.com/BurntSushi/toml"
)

// Bounds on a key's full path. packs.toml needs three parts. The TOML library recurses
// without bound, and keeps the whole path of every key: many short keys below one long
// one would take gigabytes.
const (
	maxDepth     = 16 // parts, arrays counted
	maxPathBytes = 1024
)

// maxParts bounds the parts of all keys, and arrays. Ten thousand packs have some tens
// of thousands; a hostile file has room for a million.
const maxParts = 200_000

// escapedParts is the count of a part with an escape: reading it takes that much
// longer, and no known key has one.
const escapedParts = 20

// A depth is the part of these bounds that a path uses.
type depth struct{ parts, bytes int }

// A keyPart is one part of a dotted key.
type keyPart struct {
	text string // without quotes and escapes
	at   span
}

// key reads a dotted key and the blanks after it. The key is relative to the path
// above; key returns the depth of both together.
func (s *scanner) key(above depth) ([]keyPart, depth, error) {
	var parts []keyPart
	for {
		part, err := s.keyPart()
		if err != nil {
			return nil, above, err
		}
		parts = append(parts, part)
		if above, err = s.descend(above, len(part.text)); err != nil {
			return nil, above, err
		}
		s.skipBlanks()
		if s.peek() != '.' {
			return parts, above, nil
		}
		s.pos++
		s.skipBlanks()
	}
}

// descend returns the depth one part below d.
func (s *scanner) descend(d depth, bytes int) (depth, error) {
	d.parts, d.bytes = d.parts+1, d.bytes+bytes
	s.parts++
	switch {
	case s.parts > maxParts:
		return d, s.failAt(s.pos, "more than %d keys and arrays", maxParts)
	case d.parts > maxDepth:
		return d, s.failAt(s.pos, "nested more than %d levels deep", maxDepth)
	case d.bytes > maxPathBytes:
		return d, s.failAt(s.pos, "a key and the tables around it have more than %d bytes", maxPathBytes)
	}
	return d, nil
}

func (s *scanner) keyPart() (keyPart, error) {
	start := s.pos
	if c := s.peek(); c == '"' || c == '\'' {
		if err := s.shortString(); err != nil {
			return keyPart{}, err
		}
		at := span{start, s.pos}
		text, err := s.unquote(at)
		return keyPart{text, at}, err
	}
	for isBareKeyByte(s.peek()) {
		s.pos++
	}
	if s.pos == start {
		return keyPart{}, s.unexpected("a key")
	}
	return keyPart{string(s.data[start:s.pos]), span{start, s.pos}}, nil
}

// unquote returns the text of the quoted key at a place. It leaves escapes to the TOML
// library, so that the two cannot disagree about them.
func (s *scanner) unquote(at span) (string, error) {
	token := s.data[at.start:at.end]
	if token[0] == '\'' || bytes.IndexByte(token, '\\') < 0 {
		return string(token[1 : len(token)-1]), nil
	}
	s.parts += escapedParts - 1
	var key struct{ K string }
	if _, err := toml.Decode("K = "+string(token), &key); err != nil {
		return "", s.failAt(at.start, "invalid escape in a quoted key")
	}
	return key.K, nil
}

// value reads one value with path at; keys of an inline table go into n.
func (s *scanner) value(n *node, at depth) error {
	switch c := s.peek(); c {
	case '[':
		return s.array(at)
	case '{':
		n.form = inline
		return s.inlineTable(n, at)
	case '"', '\'':
		if s.peekAt(s.pos+1) == c && s.peekAt(s.pos+2) == c {
			return s.longString()
		}
		return s.shortString()
	default:
		return s.scalar()
	}
}

// scalar reads a number, a date or a boolean; the TOML library checks it. A date may
// hold one space.
func (s *scanner) scalar() error {
	start := s.pos
	for isScalarByte(s.peek()) {
		s.pos++
	}
	if s.pos == start {
		return s.unexpected("a value")
	}
	for s.data[s.pos-1] == ' ' { // the first byte is no space: blanks are skipped
		s.pos--
	}
	return nil
}

func (s *scanner) array(above depth) error {
	at, err := s.descend(above, 0)
	if err != nil {
		return err
	}
	for s.pos++; ; s.pos++ {
		s.skipSpace()
		if s.peek() == ']' {
			break
		}
		// Nobody looks up the elements of an array by path: they get a node that
		// belongs to nothing.
		if err := s.value(new(node), at); err != nil {
			return err
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

func (s *scanner) inlineTable(n *node, at depth) error {
	for s.pos++; ; s.pos++ {
		s.skipSpace()
		if s.peek() == '}' {
			break
		}
		element, err := s.pair(n, at)
		if err != nil {
			return err
		}
		s.skipSpace()
		if s.peek() == ',' {
			element.comma = s.pos
		}
		n.elements = append(n.elements, element)
		if element.comma == 0 {
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
	start, quote := s.pos, s.peek()
	for s.pos++; s.peek() != quote; s.pos++ {
		if s.peek() == '\\' && quote == '"' {
			s.pos++
		}
		if c := s.peek(); c == 0 || c == '\r' || c == '\n' {
			return s.failAt(start, "a string is not closed before the end of its line")
		}
	}
	s.pos++
	return nil
}

// longString reads a string in triple quotation marks. One or two more of them may
// precede the closing three.
func (s *scanner) longString() error {
	start, quote := s.pos, s.peek()
	run := 0
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
			return s.failAt(start, "a multi-line string is not closed")
		}
		run = 0
		if c == '\\' && quote == '"' && s.peekAt(s.pos+1) != 0 {
			s.pos++
		}
	}
}

func isBareKeyByte(c byte) bool {
	return isAlphanumeric(c) || c == '_' || c == '-'
}

func isScalarByte(c byte) bool {
	return isAlphanumeric(c) || c == ' ' || c == '+' || c == '-' || c == '_' || c == '.' || c == ':'
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

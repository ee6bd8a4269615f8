package packsfile

import (
	"bytes"

	"github.com/BurntSushi/toml"

	"github.com/greenticai/packvendor/internal/tomltext"
)

// maxParts bounds the parts of all keys, and arrays. Ten thousand packs have some tens
// of thousands; a hostile file has room for a million.
const maxParts = 200_000

// escapedParts is the count of a part with an escape: reading it takes that much
// longer, and no known key has one.
const escapedParts = 20

// A keyPart is one part of a dotted key.
type keyPart struct {
	text string // without quotes and escapes
	at   span
}

// key reads a dotted key and the blanks after it. The key is relative to the path
// above; key returns the depth of both together.
func (s *scanner) key(above tomltext.Depth) ([]keyPart, tomltext.Depth, error) {
	var parts []keyPart
	for {
		part, err := s.keyPart()
		if err != nil {
			return nil, above, err
		}
		parts = append(parts, part)
		if above, err = s.Descend(above, len(part.text)); err != nil {
			return nil, above, err
		}
		s.SkipBlanks()
		if s.Peek() != '.' {
			return parts, above, nil
		}
		s.Pos++
		s.SkipBlanks()
	}
}

func (s *scanner) keyPart() (keyPart, error) {
	start := s.Pos
	if c := s.Peek(); c == '"' || c == '\'' {
		if err := s.ShortString(); err != nil {
			return keyPart{}, err
		}
		at := span{start, s.Pos}
		text, err := s.unquote(at)
		return keyPart{text, at}, err
	}
	text, err := s.Bare()
	return keyPart{text, span{start, s.Pos}}, err
}

// unquote returns the text of the quoted key at a place. It leaves escapes to the TOML
// library, so that the two cannot disagree about them.
func (s *scanner) unquote(at span) (string, error) {
	token := s.Data[at.start:at.end]
	if token[0] == '\'' || bytes.IndexByte(token, '\\') < 0 {
		return string(token[1 : len(token)-1]), nil
	}
	s.Parts += escapedParts - 1
	var key struct{ K string }
	if _, err := toml.Decode("K = "+string(token), &key); err != nil {
		return "", s.FailAt(at.start, "invalid escape in a quoted key")
	}
	return key.K, nil
}

// value reads one value with path at; keys of an inline table go into n.
func (s *scanner) value(n *node, at tomltext.Depth) error {
	switch s.Peek() {
	case '[':
		return s.array(at)
	case '{':
		n.form = inline
		return s.inlineTable(n, at)
	case '"', '\'':
		return s.String()
	}
	return s.Scalar()
}

func (s *scanner) array(above tomltext.Depth) error {
	at, err := s.Descend(above, 0)
	if err != nil {
		return err
	}
	// Nobody looks up the elements of an array by path: they get a node that belongs to
	// nothing.
	return s.List(']', "',' or ']' in an array", func() error { return s.value(new(node), at) })
}

func (s *scanner) inlineTable(n *node, at tomltext.Depth) error {
	return s.List('}', "',' or '}' in an inline table", func() error {
		element, err := s.pair(n, at)
		if err != nil {
			return err
		}
		s.SkipSpace()
		if s.Peek() == ',' {
			element.comma = s.Pos
		}
		n.elements = append(n.elements, element)
		return nil
	})
}

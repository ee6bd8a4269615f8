package mirrors

import (
	"bytes"
	"fmt"

	"github.com/greenticai/packvendor/internal/tomltext"
)

// maxParts bounds the parts of all keys, and arrays.
const maxParts = 50_000

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

// A scanner finds the places in a text. It leaves most errors to the library.
type scanner struct{ *tomltext.Text }

// scan returns the places of a text. Its errors are *tomltext.Error.
func scan(data []byte) (*place, error) {
	if len(data) > MaxSize {
		return nil, &tomltext.Error{Msg: fmt.Sprintf("the file is larger than %d bytes", MaxSize)}
	}
	s := &scanner{tomltext.New(data, maxParts)}
	for _, mark := range []string{"\ufeff", "\xfe\xff", "\xff\xfe"} { // as the library
		if bytes.HasPrefix(data, []byte(mark)) {
			s.Pos = len(mark)
			break
		}
	}
	root := &place{line: 1}
	current, above := root, tomltext.Depth{}
	for {
		s.SkipSpace()
		var err error
		switch s.Peek() {
		case 0:
			if s.Pos < len(data) {
				return nil, s.Unexpected("a key")
			}
			return root, nil
		case '[':
			current, above, err = s.header(root)
		default:
			err = s.pair(current, above)
		}
		if err == nil {
			err = s.EndLine()
		}
		if err != nil {
			return nil, err
		}
	}
}

// header reads [name] or [[name]], and returns the place that it opens.
func (s *scanner) header(root *place) (*place, tomltext.Depth, error) {
	line, closing := s.line(), "]"
	s.Pos++
	if s.Peek() == '[' {
		s.Pos++
		closing = "]]"
	}
	s.SkipBlanks()
	parent, name, at, err := s.key(root, tomltext.Depth{})
	if err != nil {
		return nil, at, err
	}
	if !bytes.HasPrefix(s.Data[s.Pos:], []byte(closing)) {
		return nil, at, s.Unexpected(fmt.Sprintf("%q after the table's name", closing))
	}
	s.Pos += len(closing)
	p := s.step(parent, name)
	if closing == "]]" {
		p.items = append(p.items, &place{line: line})
	}
	return p.latest(), at, nil
}

// pair reads key = value into a table.
func (s *scanner) pair(in *place, above tomltext.Depth) error {
	line := s.line()
	parent, name, at, err := s.key(in, above)
	if err != nil {
		return err
	}
	if s.Peek() != '=' {
		return s.Unexpected("'=' after the key")
	}
	s.Pos++
	s.SkipBlanks()
	p := s.step(parent, name)
	p.line = line
	return s.value(p, at)
}

// key reads a dotted key and the blanks after it. It returns the place around its last
// part, and that part.
func (s *scanner) key(in *place, above tomltext.Depth) (parent *place, name string, at tomltext.Depth, err error) {
	for at = above; ; s.SkipBlanks() {
		if name, err = s.part(); err != nil {
			return nil, "", at, err
		}
		if at, err = s.Descend(at, len(name)); err != nil {
			return nil, "", at, err
		}
		s.SkipBlanks()
		if s.Peek() != '.' {
			return in, name, at, nil
		}
		s.Pos++
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
	start := s.Pos
	if c := s.Peek(); c == '"' || c == '\'' {
		if err := s.ShortString(); err != nil {
			return "", err
		}
		return string(s.Data[start+1 : s.Pos-1]), nil
	}
	return s.Bare()
}

// value reads one value into its place.
func (s *scanner) value(p *place, at tomltext.Depth) error {
	switch s.Peek() {
	case '[':
		return s.array(p, at)
	case '{':
		return s.List('}', "',' or '}' in an inline table", func() error { return s.pair(p, at) })
	case '"', '\'':
		if err := s.String(); err != nil {
			return s.FailAt(s.Pos, "%v", err) // the line where the text ends, as the library
		}
		return nil
	}
	return s.Scalar()
}

func (s *scanner) array(p *place, above tomltext.Depth) error {
	at, err := s.Descend(above, 0)
	if err != nil {
		return err
	}
	return s.List(']', "',' or ']' in an array", func() error {
		item := &place{line: s.line()}
		err := s.value(item, at)
		if item.keys != nil || item.items != nil || s.Data[s.Pos-1] == '}' {
			p.items = append(p.items, item)
		}
		return err
	})
}

// line is that of the next byte.
func (s *scanner) line() int { return s.LineAt(s.Pos) }

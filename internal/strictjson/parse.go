package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/printable"
)

const (
	// MaxDepth is how deep objects and lists may nest in what Read reads.
	MaxDepth = 32
	// maxValues is how many values a document may hold that Read reads. In memory a value
	// takes many times its length.
	maxValues = 100_000
	// maxQuoted bounds the bytes of a quotation in a message.
	maxQuoted = 120
)

// Limits bound a document.
type Limits struct {
	Depth  int // how deep objects and lists may nest
	Values int // how many values there may be, objects and lists included
}

// usual are the limits of Read.
var usual = Limits{Depth: MaxDepth, Values: maxValues}

// A Span is where an object or a list stands in its document, brackets included.
type Span struct{ Start, End int }

// members are an object, elements a list.
type (
	members struct {
		Span
		values map[string]any
	}
	elements struct {
		Span
		values []any
	}
)

// parse reads one document. Its values are *members, *elements, string, json.Number, bool
// and nil.
func parse(data []byte, limits Limits) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	p := &parser{rest: string(data), size: len(data), limits: limits}
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.next(); p.rest != "" {
		return nil, errors.New("data after the JSON document")
	}
	return value, nil
}

// A parser reads a document in one pass. The tokens of json.Decoder cost ten times as much,
// and each run reads the evidence of all packs. Package json still decides what is a number,
// and what an escape in a string means.
type parser struct {
	rest   string // what is not read yet
	size   int    // of the document in bytes
	values int
	limits Limits
}

// place is where the next character stands.
func (p *parser) place() int { return p.size - len(p.rest) }

// next skips white space and returns the first byte behind it; 0 at the end.
func (p *parser) next() byte {
	for p.rest != "" {
		if c := p.rest[0]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		p.rest = p.rest[1:]
	}
	return 0
}

// take reads c, if it is next.
func (p *parser) take(c byte) bool {
	if p.next() != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// invalid returns the error about the next character, in the words of package json.
func (p *parser) invalid(where string) error {
	if p.rest == "" {
		return errors.New("not JSON: unexpected EOF")
	}
	r, _ := utf8.DecodeRuneInString(p.rest)
	return fmt.Errorf("not JSON: invalid character %s %s", strconv.QuoteRuneToASCII(r), where)
}

func (p *parser) value(depth int) (any, error) {
	if p.values++; p.values > p.limits.Values {
		return nil, fmt.Errorf("more than %d values", p.limits.Values)
	}
	switch c := p.next(); {
	case c == '"':
		return p.text()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == '{' || c == '[':
		if depth == p.limits.Depth {
			return nil, fmt.Errorf("nested deeper than %d", p.limits.Depth)
		}
		start := p.place()
		p.take(c)
		if c == '{' {
			values, err := p.members(depth + 1)
			return &members{Span{start, p.place()}, values}, err
		}
		values, err := p.elements(depth + 1)
		return &elements{Span{start, p.place()}, values}, err
	}
	return p.word()
}

func (p *parser) members(depth int) (map[string]any, error) {
	members := map[string]any{}
	return members, p.sequence('}', "after object key:value pair", func() error {
		if p.next() != '"' {
			return p.invalid("looking for beginning of object key string")
		}
		key, err := p.text()
		if err != nil {
			return err
		}
		if _, twice := members[key]; twice {
			return fmt.Errorf("key %s stands twice in one object", printable.Quote(key, maxQuoted))
		}
		if !p.take(':') {
			return p.invalid("after object key")
		}
		members[key], err = p.value(depth)
		return err
	})
}

func (p *parser) elements(depth int) ([]any, error) {
	list := []any{}
	err := p.sequence(']', "after array element", func() error {
		value, err := p.value(depth)
		list = append(list, value)
		return err
	})
	return list, err
}

// sequence reads items, with commas between them, and the bracket at their end. after says
// where each of these stands.
func (p *parser) sequence(end byte, after string, item func() error) error {
	if p.take(end) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch {
		case p.take(end):
			return nil
		case !p.take(','):
			return p.invalid(after)
		}
	}
}

// word reads one of the values that are words.
func (p *parser) word() (any, error) {
	for _, word := range []struct {
		text  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if rest, ok := strings.CutPrefix(p.rest, word.text); ok {
			p.rest = rest
			return word.value, nil
		}
	}
	return nil, p.invalid("looking for beginning of value")
}

func (p *parser) number() (json.Number, error) {
	rest := strings.TrimLeft(p.rest, "+-.0123456789Ee")
	text := p.rest[:len(p.rest)-len(rest)]
	if !json.Valid([]byte(text)) {
		return "", fmt.Errorf("not JSON: invalid number %s", printable.Phrase(text, maxQuoted))
	}
	// Other readers read numbers as floating point, and refuse those that do not fit.
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return "", fmt.Errorf("number %s is out of range", printable.Phrase(text, maxQuoted))
	}
	p.rest = rest
	return json.Number(text), nil
}

// text reads a string.
func (p *parser) text() (string, error) {
	escapes := false
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			literal := p.rest[:i+1]
			p.rest = p.rest[i+1:]
			if escapes {
				return unescape(literal)
			}
			return literal[1:i], nil
		case c == '\\':
			escapes = true
			i++ // the next character does not end the string
		case c < ' ':
			p.rest = p.rest[i:]
			return "", p.invalid("in string literal")
		}
	}
	p.rest = ""
	return "", p.invalid("")
}

// unescape returns the value of a string that has escapes.
func unescape(literal string) (text string, err error) {
	if err := json.Unmarshal([]byte(literal), &text); err != nil {
		return "", fmt.Errorf("not JSON: %s", printable.Line(err.Error(), maxQuoted))
	}
	return text, checkSurrogates(literal)
}

// checkSurrogates finds halves of a surrogate pair, escaped as \uD800, in a string. Go reads
// each as U+FFFD, other readers do not.
func checkSurrogates(literal string) error {
	for i := 0; i < len(literal); i++ {
		if literal[i] != '\\' {
			continue
		}
		if i++; literal[i] != 'u' {
			continue
		}
		unit := utf16Unit(literal[i+1:])
		i += 4
		switch {
		case unit < 0xd800 || unit > 0xdfff:
		case unit < 0xdc00 && strings.HasPrefix(literal[i+1:], `\u`) && utf16Unit(literal[i+3:])&^0x3ff == 0xdc00:
			i += 6
		default:
			return fmt.Errorf(`lone surrogate \u%04X`, unit)
		}
	}
	return nil
}

// utf16Unit returns the value of the four hexadecimal digits that digits begins with.
func utf16Unit(digits string) uint64 {
	unit, _ := strconv.ParseUint(digits[:4], 16, 16) // package json accepts no others
	return unit
}

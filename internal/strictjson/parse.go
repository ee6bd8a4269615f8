package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/printable"
)

const (
	// MaxDepth is how deep objects and lists may nest.
	MaxDepth = 32
	// maxValues is how many values a document may hold. In memory a value takes many
	// times its length.
	maxValues = 100_000
	// maxQuoted bounds the bytes of a quotation in a message.
	maxQuoted = 120
)

// parse reads one document. Its values are map[string]any, []any, string, json.Number,
// bool and nil.
func parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	d := &decoder{Decoder: json.NewDecoder(bytes.NewReader(data))}
	d.UseNumber()
	value, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("data after the JSON document")
	}
	if err := checkSurrogates(data); err != nil {
		return nil, err
	}
	return value, nil
}

// A decoder counts the values that it reads.
type decoder struct {
	*json.Decoder
	values int
}

func (d *decoder) value(depth int) (any, error) {
	token, err := d.next()
	if err != nil {
		return nil, err
	}
	if d.values++; d.values > maxValues {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	switch token := token.(type) {
	case json.Delim:
		if depth == MaxDepth {
			return nil, fmt.Errorf("nested deeper than %d", MaxDepth)
		}
		if token == '{' {
			return d.members(depth + 1)
		}
		return d.elements(depth + 1)
	case json.Number:
		// Other readers read numbers as floating point, and refuse those that do not fit.
		if _, err := strconv.ParseFloat(string(token), 64); err != nil {
			return nil, fmt.Errorf("number %s is out of range", printable.Phrase(string(token), maxQuoted))
		}
	}
	return token, nil
}

func (d *decoder) members(depth int) (map[string]any, error) {
	members := map[string]any{}
	for d.More() {
		token, err := d.next()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string) // the decoder accepts no other key
		if _, twice := members[key]; twice {
			return nil, fmt.Errorf("key %s stands twice in one object", printable.Quote(key, maxQuoted))
		}
		if members[key], err = d.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := d.next() // the closing brace
	return members, err
}

func (d *decoder) elements(depth int) ([]any, error) {
	list := []any{}
	for d.More() {
		value, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := d.next() // the closing bracket
	return list, err
}

// next returns a token of a document that must not end yet.
func (d *decoder) next() (json.Token, error) {
	token, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %s", printable.Line(err.Error(), maxQuoted))
	}
	return token, nil
}

// checkSurrogates finds halves of a surrogate pair, escaped as \uD800. Go reads each as
// U+FFFD, other readers do not. In data, which is JSON, a backslash stands only in strings.
func checkSurrogates(data []byte) error {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if i++; data[i] != 'u' {
			continue
		}
		unit := utf16Unit(data[i+1:])
		i += 4
		switch {
		case unit < 0xd800 || unit > 0xdfff:
		case unit < 0xdc00 && bytes.HasPrefix(data[i+1:], []byte(`\u`)) && utf16Unit(data[i+3:])&^0x3ff == 0xdc00:
			i += 6
		default:
			return fmt.Errorf(`lone surrogate \u%04X`, unit)
		}
	}
	return nil
}

// utf16Unit returns the value of the four hexadecimal digits that digits begins with.
func utf16Unit(digits []byte) uint64 {
	unit, _ := strconv.ParseUint(string(digits[:4]), 16, 16) // the decoder accepts no others
	return unit
}

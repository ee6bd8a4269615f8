package fetch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/greenticai/packvendor/internal/printable"
)

// maxDepth is deeper than any manifest nests.
const maxDepth = 32

// maxValues is more values, keys aside, than any manifest holds. In memory a value takes
// many times its length.
const maxValues = 100_000

// A reader reads JSON and counts its values.
type reader struct {
	*json.Decoder
	values int
}

// An object is a JSON object with its keys as written.
type object map[string]any

// parseObject reads one JSON object that all parsers read alike: no key stands twice or
// differs from another by case alone (Go's parser folds case for structs), and nothing but
// white space follows. Annotations may differ by case: nobody folds a map's keys.
// Values are object, []any, string, json.Number, bool or nil.
func parseObject(data []byte) (object, error) {
	d := &reader{Decoder: json.NewDecoder(bytes.NewReader(data))}
	d.UseNumber()
	value, err := parseValue(d, 0, true)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("data after the JSON object")
	}
	obj, ok := value.(object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return obj, nil
}

func parseValue(d *reader, depth int, fold bool) (any, error) {
	token, err := next(d)
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON nested deeper than %d", maxDepth)
	}
	if d.values++; d.values > maxValues {
		return nil, fmt.Errorf("JSON of more than %d values", maxValues)
	}
	switch token {
	case json.Delim('{'):
		return parseMembers(d, depth, fold)
	case json.Delim('['):
		return parseElements(d, depth)
	}
	return token, nil
}

func parseMembers(d *reader, depth int, fold bool) (object, error) {
	obj := object{}
	folded := map[string]bool{}
	for d.More() {
		token, err := next(d)
		if err != nil {
			return nil, err
		}
		key, _ := token.(string) // the decoder accepts no other key
		if _, twice := obj[key]; twice {
			return nil, fmt.Errorf("key %s twice in one object", printable.Quote(key, maxQuoted))
		}
		if f := foldKey(key); fold && folded[f] {
			return nil, fmt.Errorf("key %s and another that differs only by case", printable.Quote(key, maxQuoted))
		} else {
			folded[f] = true
		}
		if obj[key], err = parseValue(d, depth+1, key != "annotations"); err != nil {
			return nil, err
		}
	}
	_, err := next(d) // the closing brace
	return obj, err
}

func parseElements(d *reader, depth int) ([]any, error) {
	list := []any{}
	for d.More() {
		value, err := parseValue(d, depth+1, true)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := next(d) // the closing bracket
	return list, err
}

// next returns a token of a document that must not end yet.
func next(d *reader) (json.Token, error) {
	token, err := d.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return token, nil
}

// foldKey maps strings that are equal under Unicode case folding to one,
// including the two letters outside ASCII that fold to ASCII ones.
func foldKey(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// str returns the string under key, "" if there is none.
func (o object) str(key string) string {
	s, _ := o[key].(string)
	return s
}

// strings returns the object of strings under key, nil if there is none.
// It skips values of other types, which the image specification does not allow.
func (o object) strings(key string) map[string]string {
	members, ok := o[key].(object)
	if !ok {
		return nil
	}
	m := make(map[string]string, len(members))
	for k, v := range members {
		if s, ok := v.(string); ok {
			m[k] = s
		}
	}
	return m
}

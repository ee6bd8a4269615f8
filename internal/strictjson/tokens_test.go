package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/printable"
)

// FuzzParse: package json's own reader of tokens reads the same documents, with the same values.
func FuzzParse(f *testing.F) {
	for _, test := range documents {
		if len(test.text) < 1000 {
			f.Add([]byte(test.text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parse(data, usual)
		want, wantErr := parseTokens(data)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("got %v, by tokens %v", err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(plain(t, data, got), want) {
			t.Fatalf("got %#v, by tokens %#v", got, want)
		}
	})
}

// plain returns a value without the places of its objects and lists, which are right.
func plain(t *testing.T, data []byte, value any) any {
	check := func(s Span, open, end byte) {
		if data[s.Start] != open || data[s.End-1] != end || !json.Valid(data[s.Start:s.End]) {
			t.Errorf("%q stands in the place of %c%c", data[s.Start:s.End], open, end)
		}
	}
	switch value := value.(type) {
	case *members:
		check(value.Span, '{', '}')
		all := map[string]any{}
		for key, value := range value.values {
			all[key] = plain(t, data, value)
		}
		return all
	case *elements:
		check(value.Span, '[', ']')
		all := []any{}
		for _, value := range value.values {
			all = append(all, plain(t, data, value))
		}
		return all
	}
	return value
}

// parseTokens is parse by the tokens of json.Decoder, as it once was.
func parseTokens(data []byte) (any, error) {
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
	if err := checkSurrogates(string(data)); err != nil {
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

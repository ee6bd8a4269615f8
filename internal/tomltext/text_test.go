package tomltext

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What a scanner reads, and where it stands then.
func TestText(t *testing.T) {
	text := func(read func(*Text) error) func(*Text) error { return read }
	value := text(func(t *Text) error {
		if c := t.Peek(); c == '"' || c == '\'' {
			return t.String()
		}
		return t.Scalar()
	})
	list := text(func(t *Text) error {
		return t.List(']', "',' or ']' in an array", func() error { return value(t) })
	})
	bare := text(func(t *Text) error { _, err := t.Bare(); return err })
	for name, test := range map[string]struct {
		read func(*Text) error
		data string
		rest string // or else the error
		want string
	}{
		"basic":             {value, `"a\"b"c`, "c", ""},
		"literal":           {value, `'a\'b`, "b", ""},
		"long":              {value, "\"\"\"a\n\\\"\"\"\"\"\"b", "b", ""},
		"empty":             {value, `""a`, "a", ""},
		"open":              {value, "\n\"a\nb\"", "", "line 2: a string is not closed before the end of its line"},
		"open to the end":   {value, "'a", "", "line 1: a string is not closed before the end of its line"},
		"long and open":     {value, "\n'''a\n''", "", "line 2: a multi-line string is not closed"},
		"date":              {value, "1979-05-27 07:32:00.5Z ,", " ,", ""},
		"no value":          {value, "=", "", "line 1: expected a value, not '='"},
		"no value at all":   {value, "", "", "line 1: expected a value, not the end of the file"},
		"another character": {value, "é", "", `line 1: expected a value, not '\u00e9'`},
		"list":              {list, "[ 1,\r\n# ]\n 'a' , ]b", "b", ""},
		"empty list":        {list, "[]", "", ""},
		"open list":         {list, "[1\n\n2]", "", "line 3: expected ',' or ']' in an array, not '2'"},
		"bare":              {bare, "a-_9.b", ".b", ""},
		"no key":            {bare, "\r\n", "", "line 1: expected a key, not the end of the line"},
		"end of a line":     {(*Text).EndLine, " \t# x\nb", "\nb", ""},
		"no end":            {(*Text).EndLine, " b", "", "line 1: expected the end of the line, not 'b'"},
		"space":             {func(t *Text) error { t.SkipSpace(); return nil }, " \r\n#x\n\tb", "b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := New([]byte(test.data), 100)
			for strings.HasPrefix(test.data[s.Pos:], "\n") && s.Pos == 0 {
				s.Pos++
			}
			err := test.read(s)
			var got *Error
			switch {
			case test.want != "":
				if !errors.As(err, &got) || fmt.Sprintf("line %d: %v", got.Line, got) != test.want {
					t.Errorf("got %v, want %s", err, test.want)
				}
			case err != nil || string(s.Data[s.Pos:]) != test.rest:
				t.Errorf("got %q, %v", s.Data[s.Pos:], err)
			}
		})
	}
}

// The bounds are those of the constants, and of New.
func TestDescend(t *testing.T) {
	s, d, err := New([]byte("\n"), 20), Depth{}, error(nil)
	for i := range MaxDepth {
		if d, err = s.Descend(d, MaxPathBytes/MaxDepth); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	for want, err := range map[string]func() (Depth, error){
		"nested more than 16 levels deep":                          func() (Depth, error) { return s.Descend(d, 0) },
		"a key and the tables around it have more than 1024 bytes": func() (Depth, error) { return s.Descend(Depth{}, MaxPathBytes+1) },
	} {
		if _, err := err(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	s.Parts = 20
	if _, err := s.Descend(Depth{}, 0); err == nil || err.Error() != "more than 20 keys and arrays" {
		t.Errorf("got %v", err)
	}
}

// The library's errors are in this package's style.
func TestDecode(t *testing.T) {
	if tree, err := Decode([]byte("a = 1\n[b]\n")); err != nil || len(tree) != 2 {
		t.Errorf("got %v, %v", tree, err)
	}
	var got *Error
	if _, err := Decode([]byte("\na = ü")); !errors.As(err, &got) || got.Line != 2 || strings.ContainsFunc(got.Msg, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("got %#v", err)
	}
}

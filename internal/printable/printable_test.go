package printable_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/printable"
)

func TestForms(t *testing.T) {
	for _, test := range []struct{ s, quote, phrase, word, line, text string }{
		{"", `""`, "", "", "", ""},
		{"word", `"word"`, "word", "word", "word", "word"},
		{"a b", `"a b"`, "a b", `"a b"`, "a b", "a b"},
		{`a"b`, `"a\"b"`, `"a\"b"`, `"a\"b"`, `a"b`, `a"b`},
		{`a\b`, `"a\\b"`, `"a\\b"`, `"a\\b"`, `a\b`, `a\b`},
		{"a'b", `"a'b"`, "a'b", "a'b", "a'b", "a'b"},
		{"a\nb\t", `"a\nb\t"`, `"a\nb\t"`, `"a\nb\t"`, `a\nb\t`, "a\nb\t"},
		{"\x1b[2J\r", `"\x1b[2J\r"`, `"\x1b[2J\r"`, `"\x1b[2J\r"`, `\x1b[2J\r`, `\x1b[2J\r`},
		{"\u202eé\U0001f600", `"\u202e\u00e9\U0001f600"`, `"\u202e\u00e9\U0001f600"`, `"\u202e\u00e9\U0001f600"`, `\u202e\u00e9\U0001f600`, `\u202e\u00e9\U0001f600`},
		{"\x00\x7f\x9b", `"\x00\x7f\x9b"`, `"\x00\x7f\x9b"`, `"\x00\x7f\x9b"`, `\x00\x7f\ufffd`, `\x00\x7f\ufffd`},
		{strings.Repeat("a", 41), `"` + strings.Repeat("a", 40) + `"...`, `"` + strings.Repeat("a", 40) + `"...`, `"` + strings.Repeat("a", 40) + `"...`, strings.Repeat("a", 40) + "...", strings.Repeat("a", 41)},
	} {
		for _, form := range []struct{ name, got, want string }{
			{"Quote", printable.Quote(test.s, 40), test.quote},
			{"Phrase", printable.Phrase(test.s, 40), test.phrase},
			{"Word", printable.Word(test.s, 40), test.word},
			{"Line", printable.Line(test.s, 40), test.line},
			{"Text", printable.Text(test.s), test.text},
		} {
			if form.got != form.want {
				t.Errorf("%s(%q)\n got: %s\nwant: %s", form.name, test.s, form.got, form.want)
			}
		}
	}
}

// Of hostile text of any length, all that is printed is a bounded line of ASCII.
func FuzzForms(f *testing.F) {
	f.Add("a\u2028b\x1b[0m", 3)
	f.Add(strings.Repeat("\U0010ffff", 100), 7)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = int(uint16(most))
		for _, got := range []string{printable.Quote(s, most), printable.Phrase(s, most), printable.Word(s, most), printable.Line(s, most)} {
			if len(got) > 10*most+len(`""...`) {
				t.Errorf("%d bytes for a bound of %d", len(got), most)
			}
			if strings.Trim(got, " !\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
				t.Errorf("%q is printed as it is", got)
			}
		}
		if rest := strings.NewReplacer("\t", "", "\n", "").Replace(printable.Text(s)); rest != printable.Line(rest, len(rest)) {
			t.Errorf("%q is printed as it is", rest)
		}
	})
}

func TestLineIsCutOff(t *testing.T) {
	for _, test := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc..."},
		{"a\n\u202e", 9, `a\n\u202e`},
		{"a\n\u202e", 8, `a\n\u202...`}, // half an escape is harmless, too
	} {
		if got := printable.Line(test.text, test.most); got != test.want {
			t.Errorf("%q to %d: %q, want %q", test.text, test.most, got, test.want)
		}
	}
}

// JSON is ASCII without commands: what a terminal or a CI system could obey is escaped, and means
// the same.
func TestFault60_JSON(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"{\n  \"a\": \"b\"\n}\n", "{\n  \"a\": \"b\"\n}\n"},
		{"\"\u202e\x7f\u009b\ufeff→\"", `"\u202e\u007f\u009b\ufeff\u2192"`},
		{"\"😀\U0010ffff\"", `"\ud83d\ude00\udbff\udfff"`},
		{`"::x ##vso[a] ##[b] ##teamcity[c 'é'"`, `"::x ##vso\u005ba] ##\u005bb] ##teamcity\u005bc '\u00e9'"`},
		{`["##"]`, `["##"]`},
	} {
		got := printable.JSON(test.text)
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.text, got, test.want)
		}
		var before, after any
		if err := errors.Join(json.Unmarshal([]byte(test.text), &before), json.Unmarshal([]byte(got), &after)); err != nil || !reflect.DeepEqual(before, after) {
			t.Errorf("%q means %q, %v", test.text, after, err)
		}
	}
}

func TestMarshalJSON(t *testing.T) {
	value := map[string]any{"a": "<é>&##[b\xff", "b": []int{}}
	for _, test := range []struct{ prefix, indent, want string }{
		{"", "", `{"a":"<\u00e9>&##\u005bb\ufffd","b":[]}`},
		{"", "  ", "{\n  \"a\": \"<\\u00e9>&##\\u005bb\\ufffd\",\n  \"b\": []\n}"},
		{"\t", "\t", "{\n\t\t\"a\": \"<\\u00e9>&##\\u005bb\\ufffd\",\n\t\t\"b\": []\n\t}"},
	} {
		if got, err := printable.MarshalJSON(value, test.prefix, test.indent); err != nil || string(got) != test.want {
			t.Errorf("%q, %q: %s, %v, want %s", test.prefix, test.indent, got, err, test.want)
		}
	}
	if got, err := printable.MarshalJSON(func() {}, "", ""); got != nil || err == nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestEscapeCommands(t *testing.T) {
	if got, want := printable.EscapeCommands("##[a] ##vso.x[b] ###[c] #[d] ## [", `\x5b`), `##\x5ba] ##vso.x\x5bb] ###\x5bc] #[d] ## [`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

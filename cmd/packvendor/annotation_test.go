package main

import "testing"

func TestAnnotation(t *testing.T) {
	for _, test := range []struct {
		name, got, want string
	}{
		{"plain", annotation("error", "x is y"), "::error title=packvendor::x is y\n"},
		{"placed", annotation("warning", "x", "file=a", "line=3"), "::warning file=a,line=3,title=packvendor::x\n"},
		{"lines", annotation("error", "a\n\tb\r\n::error::c"), "::error title=packvendor::a%0A\tb\\r%0A::error::c\n"},
		{"already escaped", annotation("error", "100%0A"), "::error title=packvendor::100%250A\n"},
		{"controls", annotation("error", "\x1b[2J\u202e\xff"), "::error title=packvendor::\\x1b[2J\\u202e\\ufffd\n"},
		{"property", annotationProperty("a:b,c%d\n::e"), "a%3Ab%2Cc%25d%0A%3A%3Ae"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.name, test.got, test.want)
		}
	}
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"a::b\nc ::d":                "a::b\nc ::d",
		"::error::x":                 `\x3a:error::x`,
		"a\n \t::stop-commands::x\n": "a\n \t\\x3a:stop-commands::x\n",
		"a\n:::x\n: :y":              "a\n\\x3a::x\n: :y",
		"a ##[error]b\n####[c]":      "a ##\\x5berror]b\n####\\x5bc]",
		"# #[a] #[b]":                "# #[a] #[b]",
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

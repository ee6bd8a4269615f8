package console

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
		{"commands to others", annotation("error", "##vso[a]##[b]"), "::error title=packvendor::##vso\\x5ba]##\\x5bb]\n"},
		{"property", annotationProperty("a:b,c%d\n::e"), "a%3Ab%2Cc%25d%0A%3A%3Ae"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, want %q", test.name, test.got, test.want)
		}
	}
}

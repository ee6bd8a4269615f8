package safe

import "testing"

func TestFault60_Harmless(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"a::b\nc ::d":                     "a::b\nc ::d",
		"::error::x":                      `\x3a:error::x`,
		"a\n \t::stop-commands::x\n":      "a\n \t\\x3a:stop-commands::x\n",
		"a\n:::x\n: :y":                   "a\n\\x3a::x\n: :y",
		"::a\n::b\n\n::c":                 "\\x3a:a\n\\x3a:b\n\n\\x3a:c",
		"a\r::b":                          "a\r\\x3a:b",
		"\u00a0\u2003\ufeff::b":           "\u00a0\u2003\ufeff\\x3a:b",
		"a ##[error]b\n####[c]":           "a ##\\x5berror]b\n####\\x5bc]",
		"a ##vso[task.setvariable]b":      "a ##vso\\x5btask.setvariable]b",
		"##VSO[x]##teamcity[y]":           "##VSO\\x5bx]##teamcity\\x5by]",
		"##vso##teamcity[y":               "##vso##teamcity\\x5by",
		"# #[a] #[b] ## [c] ##a [d] #[e]": "# #[a] #[b] ## [c] ##a [d] #[e]",
	} {
		if got := Log(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// What a terminal or a CI system would obey is not harmless. Letters of all scripts are.
func TestIsHarmless(t *testing.T) {
	for text, want := range map[string]bool{
		"": true,
		"{\r\n\t\"a\": \"\u00e9 \u4e16\u754c \u00a9 \U0001f600 ::x ##\"\n}": true,
		"\ufeff{}":             true,
		"{}\ufeff":             false,
		"\x1b[2J":              false,
		"\x7f":                 false,
		"\u009b2J":             false,
		"\u202e":               false,
		"\u2028":               false,
		"a\rb":                 false,
		"a\r":                  false,
		"\xff":                 false,
		"##vso[task.complete]": false,
		"\n::error::":          false,
	} {
		if got := IsHarmless(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a", "`a`"},
		{"a_b*c*", "`a_b*c*`"},
		{"`", "`\\x60`"},
		{"``` |x|", "`\\x60\\x60\\x60 \\x7cx\\x7c`"},
		{"<b> @octocat &amp; #1 \\", "`<b> @octocat &amp; #1 \\`"},
	} {
		if got := Code(test.text); got != test.want {
			t.Errorf("%s: %s, want %s", test.text, got, test.want)
		}
	}
}

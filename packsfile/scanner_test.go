package packsfile

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// A text that is not TOML, or too much of it, is one error with its line, whether the
// scanner or the library finds it.
func TestSyntaxError(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"NUL", "a = 1\nb = \"\x00\"\n", `packs.toml:2: control character U+0000`},
		{"bare CR", "a = 1\rb = 2\n", `packs.toml:1: control character U+000D`},
		{"CR at the end", "a = 1\r", `packs.toml:1: control character U+000D`},
		{"DEL in a comment", "# \x7f", `packs.toml:1: control character U+007F`},
		{"UTF-8", "a = 1\n# \xff", `packs.toml:2: invalid UTF-8`},
		{"UTF-16", "\xff\xfea\x00", `packs.toml:1: invalid UTF-8`},
		{"second byte order mark", byteOrderMark + byteOrderMark, `packs.toml:1: expected a key, not '\ufeff'`},
		{"no key", "\n= 1", `packs.toml:2: expected a key, not '='`},
		{"no value", "a =\n", `packs.toml:1: expected a value, not the end of the line`},
		{"no value at the end", "a =", `packs.toml:1: expected a value, not the end of the file`},
		{"no equals", "a\n", `packs.toml:1: expected '=' after the key, not the end of the line`},
		{"no part", "a. = 1", `packs.toml:1: expected a key, not '='`},
		{"no part in a header", "[a..b]", `packs.toml:1: expected a key, not '.'`},
		{"two on a line", "a = 'x' b = 2\n", `packs.toml:1: expected the end of the line, not 'b'`},
		{"Unicode key", "\u00e4 = 1\n", `packs.toml:1: expected a key, not '\u00e4'`},
		{"Unicode value", "a = \u202e\n", `packs.toml:1: expected a value, not '\u202e'`},
		{"open header", "[a\n", `packs.toml:1: expected "]" after the table's name, not the end of the line`},
		{"open array header", "[[a]\n", `packs.toml:1: expected "]]" after the table's name, not ']'`},
		{"text after a header", "[a] b = 1\n", `packs.toml:1: expected the end of the line, not 'b'`},
		{"open string", "a = 'x\nb = 1", `packs.toml:1: a string is not closed before the end of its line`},
		{"open string at the end", `a = "x\`, `packs.toml:1: a string is not closed before the end of its line`},
		{"open key", `"a = 1`, `packs.toml:1: a string is not closed before the end of its line`},
		{"open long string", "\na = '''x\n''\n", `packs.toml:2: a multi-line string is not closed`},
		{"escape at the end", "\na = \"\"\"x\n\\", `packs.toml:2: a multi-line string is not closed`},
		{"open array", "a = [\n1,\n2\n", `packs.toml:4: expected ',' or ']' in an array, not the end of the file`},
		{"array of commas", "a = [,]", `packs.toml:1: expected a value, not ','`},
		{"bad element", "a = [1, '", `packs.toml:1: a string is not closed before the end of its line`},
		{"open inline table", "a = { b = 1\n", `packs.toml:2: expected ',' or '}' in an inline table, not the end of the file`},
		{"bad pair", "a = { b }", `packs.toml:1: expected '=' after the key, not '}'`},
		{"bad escape in a key", `"\q" = 1`, `packs.toml:1: invalid escape in a quoted key`},
		{"bad escape", "b = 1\n" + `a = "\q"`, `packs.toml:2: invalid escape in string '\q'`},
		{"Unicode escape", "a = \"\\\u202e\"", `packs.toml:1: invalid escape in string '\\u202e'`},
		{"word", "a = yes", `packs.toml:1: expected value but found "yes" instead`},
		{"number", "\n\na = 01", `packs.toml:3: invalid integer "01": cannot have leading zeroes`},
		{"surrogate", `a = "\ud800"`, `packs.toml:1: escaped character '\ud800' is not valid UTF-8`},
		{"long number", "a = 1__" + strings.Repeat("0", 1000), `packs.toml:1: invalid integer "1__` + strings.Repeat("0", 400-len(`invalid integer "1__`)) + "..."},
		{"duplicate", "[packs]\nx = 1\ny = 1\nx = 2", `packs.toml:4: key 'packs.x' has already been defined`},
		{"duplicate table", "[packs]\nx = 1\n[packs]\ny = 2", `packs.toml:3: key 'packs' has already been defined`},
		{"duplicate in an inline table", "\na = {b = {c = 1}, b.d = 2}", `packs.toml:2: a key or table is defined a second time`},
		{"inline table extended", "[a]\nb = {c = 1}\nb.d = 2", `packs.toml:3: a key or table is defined a second time`},
		{"value as table", "a = 1\n[a.b]", `packs.toml:2: key 'a' was already created as a hash`},
		{"inline table reopened", "a = {b = 1}\n[a]\nc = 2", `packs.toml:2: key 'a' has already been defined`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse("packs.toml", []byte(tt.data))
			var syntax *SyntaxError
			if f != nil || !errors.As(err, &syntax) || err.Error() != tt.want {
				t.Errorf("got %v, %v\nwant %s", f, err, tt.want)
			}
			if _, err := setRef([]byte(tt.data), "x", "ghcr.io/o/x:1"); !errors.As(err, &syntax) {
				t.Errorf("SetRefs: %v", err)
			}
		})
	}
}

// Row 52 of docs/reliability.md: refused at once, the same way every time.
func TestFault52_HostileInput(t *testing.T) {
	const limit = time.Minute // it takes well under a second, but not on a busy machine with the race detector
	deep := "packs.toml:1: nested more than 16 levels deep"
	tests := []struct{ name, data, want string }{
		{"arrays", "a = " + strings.Repeat("[", 200_000), deep},
		{"closed arrays", "a = " + strings.Repeat("[", 17) + strings.Repeat("]", 17), deep},
		{"inline tables", "a = " + strings.Repeat("{a=", 60_000), deep},
		{"dotted key", strings.Repeat("a.", 20_000) + "a = 1", deep},
		{"header", "[" + strings.Repeat("a.", 20_000) + "a]", deep},
		{"dotted key in a header's table", "[a.a.a.a.a.a.a.a]\na.a.a.a.a.a.a.a.a = 1", "packs.toml:2: nested more than 16 levels deep"},
		{"inline table in an array", "a = [" + strings.Repeat("{a=[", 20_000), deep},
		{"short keys below a long one", "[" + strings.Repeat("a", 100_000) + "]\n" + strings.Repeat("b=1\n", 30_000), "packs.toml:1: a key and the tables around it have more than 1024 bytes"},
		{"many long parts", strings.Repeat("'"+strings.Repeat("a", 200)+"'.", 15) + "a = 1", "packs.toml:1: a key and the tables around it have more than 1024 bytes"},
		{"many keys", strings.Repeat("packs.a.b = 1\n", 70_000), "packs.toml:66667: more than 200000 keys and arrays"},
		{"many arrays", "a = [" + strings.Repeat("[],", 300_000), "packs.toml:1: more than 200000 keys and arrays"},
		{"10 MB", strings.Repeat("a = 1\n", 10<<20/6), "packs.toml: the file is larger than 4194304 bytes"},
		{"NUL", strings.Repeat("\x00", MaxSize), "packs.toml:1: control character U+0000"},
		{"case variants", "allow_tags = true\nALLOW_TAGS = false\nAllow_Tags = true\n", `packs.toml:2: unknown key "ALLOW_TAGS": did you mean "allow_tags"?
packs.toml:3: unknown key "Allow_Tags": did you mean "allow_tags"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 {
				start := time.Now()
				_, err := Parse("packs.toml", []byte(tt.data))
				if took := time.Since(start); took > limit {
					t.Errorf("took %v", took)
				}
				if err == nil || err.Error() != tt.want {
					t.Fatalf("got %v\nwant %s", err, tt.want)
				}
			}
		})
	}
}

// The largest files that are read take bounded time, whatever fills them.
func TestFault52_LargeInput(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 10 s")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // it would take a third of the time
	const limit = time.Minute                         // it takes two seconds, but not on a busy machine with the race detector
	path := strings.Repeat(strings.Repeat("a", 70)+".", 14)
	for name, test := range map[string]struct {
		piece string
		parts int // that it has, of keys and arrays
	}{
		"long headers":      {"[" + path + "NUM]\n", 15},
		"long keys":         {path + "NUM = 1\n", 15},
		"deep headers":      {"[" + strings.Repeat("a.", 14) + "NUM]\n", 15},
		"deep keys":         {strings.Repeat("a.", 14) + "NUM = 1\n", 15},
		"packs":             {"packs.pNUM = 'x'\n", 2},
		"bad names":         {"packs.PNUM = 'ghcr.io/o/x'\n", 2},
		"misspelt signers":  {"trust.signers.aNUM.kei = 'x'\n", 4},
		"retired signers":   {"trust.signers.aNUM = { key = 'x.', only = [] }\n", 6},
		"rules":             {"trust.rules.'a.b/NUM' = ['aNUM']\n", 4},
		"comments":          {"#\n", 0},
		"escaped keys":      {`"\u0061NUM" = 1` + "\n", escapedParts},
		"arrays":            {"aNUM = [[[[[[[[[[[[]]]]]]]]]]]]\n", 13},
		"inline tables":     {"aNUM = {a={a={a={a={a={a={}}}}}}}\n", 7},
		"array tables":      {"[[a]]\n[a.b]\n", 3},
		"multi-line string": {"aNUM = \"\"\"\\\n\n\\\n\"\"\"\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for i := 0; b.Len() < MaxSize-2000 && (i+1)*test.parts <= maxParts; i++ {
				b.WriteString(strings.ReplaceAll(test.piece, "NUM", decimal(i)))
			}
			start := time.Now()
			f, err := Parse("packs.toml", []byte(b.String()))
			if took := time.Since(start); took > limit {
				t.Errorf("took %v", took)
			}
			var syntax *SyntaxError
			if errors.As(err, &syntax) {
				t.Errorf("not read: %v", err)
			}
			if err == nil && name != "comments" {
				t.Errorf("no error, but %v", f)
			}
		})
	}
}

// So do the longest lists in the table trust.
func TestFault52_LongLists(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	const limit = time.Minute
	for name, test := range map[string]struct{ before, piece, after string }{
		"names of signers": {"[trust.signers]\na1.key = 'a.'\na2.key = 'b.'\n[trust.rules]\n'**' = [", "'aNUM',", "]\n"},
		"layers":           {"trust.signers.a = { key = 'a.', only = [", "'NUM',", "] }\n"},
		"names":            {"trust.signers.a = { key = 'a.', names = [", "'a.b/NUM',", "'x'] }\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString(test.before)
			for i := 0; b.Len() < MaxSize-1000; i++ {
				b.WriteString(strings.ReplaceAll(test.piece, "NUM", decimal(i)))
			}
			start := time.Now()
			_, err := Parse("packs.toml", []byte(b.String()+test.after))
			if took := time.Since(start); took > limit {
				t.Errorf("took %v", took)
			}
			var errs Errors
			if !errors.As(err, &errs) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func decimal(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}

// Every string the TOML library takes, the scanner finds the end of.
func TestStringSpans(t *testing.T) {
	for _, token := range []string{
		`""`, `''`, `"\""`, `"\\"`, `'\'`, `"a\\\"b"`, `"'"`, `'"'`, `"\u0022"`, `"\x22\e"`,
		`""""""`, `''''''`, `""""a"""`, `"""a"""""`, `"""""a"""`, `'''a'''''`, `'''''a'''`,
		`"""a\""""`, `"""a\"""""`, `"""\\"""`, `'''\'''`, "\"\"\"\\\n  a\"\"\"", "'''\n'\n''\n'''",
		`"""#"""`, `'#'`, "\"\"\"\n[packs]\n\"\"\"", `"=,]}"`,
	} {
		doc, err := parseDocument("packs.toml", []byte("a = [ "+token+" , { b = "+token+" } ]\nc = "+token+" # comment\nd = 1\n"))
		if err != nil {
			t.Errorf("%s: %v", token, err)
			continue
		}
		at := doc.root.child("c").value
		if got := string(doc.data[at.start:at.end]); got != token {
			t.Errorf("found %s instead of %s", got, token)
		}
	}
}

// Should scanner and library ever disagree, the file is refused.
func TestDisagreement(t *testing.T) {
	const want = "packs.toml:2: valid TOML, but written in a form that is not understood here"
	for name, spoil := range map[string]func(d *document){
		"a key too few":        func(d *document) { delete(d.root.decoded.(map[string]any), "b") },
		"a key too many":       func(d *document) { d.root.decoded.(map[string]any)["c"] = 1 },
		"another key":          func(d *document) { tree := d.root.decoded.(map[string]any); tree["c"] = tree["b"]; delete(tree, "b") },
		"a table for a value":  func(d *document) { d.root.child("b").form = inline },
		"a value for a table":  func(d *document) { d.root.decoded.(map[string]any)["b"] = map[string]any{} },
		"an array of tables":   func(d *document) { d.root.decoded.(map[string]any)["b"] = []map[string]any{} },
		"a key the wrong form": func(d *document) { d.root.child("b").form = tableArray },
	} {
		doc, err := parseDocument("packs.toml", []byte("\nb = 1\n"))
		if err != nil {
			t.Fatal(err)
		}
		doc.root.line = 2
		spoil(doc)
		if line := doc.root.adopt(doc.root.decoded); line != 2 {
			t.Errorf("%s: line %d", name, line)
		}
	}
	var syntax *SyntaxError
	doc := &document{data: []byte("\na = 1\n"), root: &node{form: header, line: 2}}
	if !errors.As(doc.decode(), &syntax) {
		t.Fatal("no error")
	}
	if syntax.File = "packs.toml"; syntax.Error() != want {
		t.Errorf("got %v, want %s", syntax, want)
	}
}

package embedgen_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
)

func mentioned(list []embedgen.Mention) string {
	var words []string
	for _, m := range list {
		words = append(words, fmt.Sprintf("%d:%s", m.Line, m.Name))
	}
	return strings.Join(words, " ")
}

func TestMentions(t *testing.T) {
	p := accessors("A", "B")
	for _, test := range []struct{ name, src, want string }{
		{"none", everything, ""},
		{"assignment", "func init() {\n\tgtpackB = `x`\n\tgtpackA, gtpackB = gtpackB, gtpackA\n}", "4:gtpackB 5:gtpackA"},
		{"field of a pack", "func init() { gtpackedA.data = &other; gtpackA = `` }", "3:gtpackedA 3:gtpackA"},
		{"address in a call", "var _ = f(1, &gtpackA)", "3:gtpackA"},
		{"method of a pointer", "func init() { gtpackA.set() }", "3:gtpackA"},
		{"address in a map", "var _ = map[*gtpack]int{&gtpackA: 1}", "3:gtpackA"},
		{"value of a key", "var _ = T{a: &gtpackA}", "3:gtpackA"},
		{"array of that length", "var _ [len(gtpackA)]int", "3:gtpackA"},
		{"type of a field", "var _ struct { gtpackA [len(gtpackB)]int }", "3:gtpackB"},
		{"method", "func (t *T) gtpackA() { gtpackB = 1 }", "3:gtpackB"},
		{"function without a body", "func (t *T) Set(*[len(gtpackA)]int)", "3:gtpackA"},
		{"range", "func init() { for _, gtpackA = range words {} }", "3:gtpackA"},
		{"in a function", "func init() { func() { go func() { gtpackA = `` }() }() }", "3:gtpackA"},
		{"label and its use", "func f() { L: for { gtpackB = ``; break L } }", "3:gtpackB"},
		{"selector", "var _ = x.gtpackA", ""},
		{"key", "var _ = T{gtpackA: 1}", ""},
		{"fields", "type T struct{ gtpackA, gtpackB int }; type I interface{ gtpackA() }", ""},
		{"text", "// gtpackA\nvar _ = `gtpackA`", ""},
		{"longer words", "var gtpackAB, agtpackA, gtpackA1, gtpackA_, \u00e9gtpackA int", ""},
		{"line directive", "//line other.go:100\nvar _ = &gtpackA", "4:gtpackA"},
		{"syntax error", "var _ = gtpackA ??", "3:gtpackA"},
		{"syntax error, in a string", "var _ = `gtpackA` ??", "3:gtpackA"},
		{"cgo", "// extern char *x __asm__(\"x.gtpackA\");\nimport \"C\"", "3:gtpackA"},
		{"cgo without", "// int f();\nimport \"C\"", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := mentioned(p.Mentions([]byte("package x\n\n" + test.src + "\n"))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := mentioned(accessors().Mentions([]byte("package x; var _ = gtpackA"))); got != "" {
		t.Errorf("without packs: got %q", got)
	}
}

func TestWords(t *testing.T) {
	p := accessors("A", "B")
	for _, test := range []struct{ src, want string }{
		{"", ""},
		{"gtpackA", "1:gtpackA"},
		{"gtpackedB+8(SB)", "1:gtpackedB"},
		{"gtpackAB gtpackB\ngtpackA,gtpackA", "2:gtpackA 1:gtpackB"},
		{"\u00b7gtpackB(SB)", "1:gtpackB"},
		{"\xffgtpackB\xff", "1:gtpackB"},
	} {
		if got := mentioned(p.Words([]byte(test.src))); got != test.want {
			t.Errorf("%q: got %q, want %q", test.src, got, test.want)
		}
	}
}

package embedgen_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
)

func TestLinknames(t *testing.T) {
	for _, test := range []struct{ name, src, want string }{
		{"none", "package x\n", ""},
		{"two words", "package x\n\n//go:linkname a b.c\nfunc a()\n", "3:a=b.c"},
		{"one word", "package x\n//go:linkname a\n", "2:a="},
		{"no word", "package x\n//go:linkname\n", ""},
		{"indented, at the end of a line", "package x\n\tvar a int //go:linkname a b.c", "2:a=b.c"},
		{"CRLF", "package x\r\n//go:linkname a b.c\r\n", "2:a=b.c"},
		{"more space", "package x\n//go:linkname  a\t b.c \n", "2:a=b.c"},
		{"escaped", "package x\n//go:linkname a example.com/x%2ev1.c\n", "2:a=example.com/x.v1.c"},
		{"no escape", "package x\n//go:linkname a b%zz.c\n", "2:a=b%zz.c"},
		{"line directive", "package x\n//line y.go:10\n//go:linkname a b.c\n", "3:a=b.c"},
		{"after a syntax error", "package ??\n\"\n//go:linkname a b.c\n", "3:a=b.c"},
		{"others", "package x\n// go:linkname a b.c\n/*go:linkname a b.c*/\n//go:linknames a b.c\nvar s = `\n//go:linkname a b.c\n`\n", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, l := range embedgen.Linknames([]byte(test.src)) {
				got = append(got, fmt.Sprintf("%d:%s=%s", l.Line, l.Local, l.Symbol))
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestMayLink(t *testing.T) {
	for _, test := range []struct {
		head string
		want bool
	}{
		{"", true},
		{"package x\n", true}, // it may go on with an import
		{"package x\n\nfunc f() {}\n", false},
		{"package x\r\n\r\nvar x int\r\n", false},
		{"// func\n// func f()\npackage x\n\nimport (\n\t\"io\"\n\t\"os\"\n)\n\nconst c = 1\n", false},
		{"package x\n\ntype T int\n// unsafe /* ` \\ \"C\"\n", false},
		{"package x\n\nimport _ \"unsafe\"\n\nfunc f() {}\n", true},
		{"package x\n\nimport \"C\"\n\nfunc f() {}\n", true},
		{"package x\n\nimport `C`\n\nfunc f() {}\n", true},
		{"package x\n\nimport _ \"\\x75nsafe\"\n\nfunc f() {}\n", true},
		{"/*\nfunc f()\n*/\npackage x\n", true},
		{"package x; import _ `\nfunc f()\n`\n", true},
		{"package x; func f() {}\n", true}, // that takes more than a look
	} {
		if got := embedgen.MayLink([]byte(test.head)); got != test.want {
			t.Errorf("%q: got %t, want %t", test.head, got, test.want)
		}
	}
}

// No Go file of the toolchain that has a directive is passed over, however little of
// it is read at first.
func TestMayLinkOfStandardLibrary(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("the go command is not installed")
	}
	directives := 0
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(out)), "src", "runtime"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || d.IsDir() {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil || len(embedgen.Linknames(src)) == 0 {
			return err
		}
		directives++
		for n := 0; n <= len(src); n += 100 {
			if !embedgen.MayLink(src[:n]) {
				t.Errorf("%s is passed over for its first %d bytes", name, n)
				break
			}
		}
		return nil
	})
	if err != nil || directives < 50 {
		t.Errorf("%d files with directives, %v", directives, err)
	}
}

func TestSymbols(t *testing.T) {
	for _, test := range []struct{ src, want string }{
		{"", ""},
		{"TEXT ·add(SB),4,$0\n\tMOVQ ·x+8(SB), AX\n\tMOVQ ·x(SB), AX\n", "1:.add 2:.x"},
		{"CALL example·com∕app·f(SB)", "1:example.com/app.f"},
		{"CALL runtime·memmove<ABIInternal>(SB)", "1:runtime.memmove"},
		{"TEXT ·Pack·Reader(SB)", "1:.Pack.Reader"},
		{"// example.com/app.f and a.b", ""},
		{"mov \"example.com/app%2ev1.x\"(%rip), %rax", "1:example.com/app.v1.x"},
		{"#include \"textflag.h\"", "1:textflag.h"},
		{"MOVD R0, größe·x(SB)", "1:größe.x"},
	} {
		if got := mentioned(embedgen.Symbols([]byte(test.src))); got != test.want {
			t.Errorf("%q: got %q, want %q", test.src, got, test.want)
		}
	}
}

func TestLocalName(t *testing.T) {
	lib, main := accessors("A"), accessors("A")
	lib.Name, main.Name = "lib", "main"
	for _, test := range []struct {
		p            embedgen.Package
		path, symbol string
		want         string
		ok           bool
	}{
		{lib, "a/b", "a/b.gtpackA", "gtpackA", true},
		{lib, "a/b", "a/b.other", "other", true},
		{lib, "a/b", "a/b.T.Method", "T.Method", true},
		{lib, "a/b", "a/bc.gtpackA", "", false},
		{lib, "a/b", "a/b/c.gtpackA", "", false},
		{lib, "a/b", "x/a/b.gtpackA", "", false},
		{lib, "a/b", "", "", false},
		{lib, "", ".gtpackA", "", false},
		{main, "a/b", "main.gtpackA", "gtpackA", true},
		{main, "a/b", "main.Pack.Reader", "Pack.Reader", true},
		{main, "a/b", "main.other", "", false},
		{main, "a/b", "a/b.gtpackA", "", false},
	} {
		got, ok := test.p.LocalName(test.path, test.symbol)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%s, %s of %s: got %q, %t, want %q, %t", test.symbol, test.path, test.p.Name, got, ok, test.want, test.ok)
		}
	}
}

package embedgen_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/packtest"
)

func generateStub(t *testing.T, p embedgen.Package) []byte {
	t.Helper()
	src, err := embedgen.GenerateStub(p)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func TestGenerateStub(t *testing.T) {
	hostile := slack()
	hostile.Ref = "\n//go:embed /etc/passwd\nvar x string // */ \u0430\u202e\ufeff\xff\"`"
	for name, packs := range map[string][]embedgen.Pack{
		"none":    nil,
		"two":     {tools(), redis()},
		"hostile": {hostile},
	} {
		p := embedgen.Package{Name: "packs", Data: "packs", Packs: packs, Stub: true}
		got := generateStub(t, p)
		wantGolden(t, name+"_stub", got)
		if formatted, err := format.Source(got); err != nil || !bytes.Equal(formatted, got) {
			t.Errorf("%s: not formatted: %v", name, err)
		}
		if !embedgen.IsGenerated(got) || !embedgen.IsStub(got) || embedgen.IsStub(generate(t, p)) {
			t.Errorf("%s: a stub is not recognized", name)
		}
		f := parseSource(t, got)
		if got, want := directives(got, f), []string{"//go:build packvendor_stub"}; !slices.Equal(got, want) {
			t.Errorf("%s: directives %q, want %q", name, got, want)
		}
		for _, declared := range declared(f) {
			if !slices.Contains(p.Declarations(), declared) {
				t.Errorf("%s: declares %s, which the generated file does not", name, declared)
			}
		}
		if got, want := signatures(f), signatures(parseSource(t, generate(t, p))); !maps.Equal(got, want) {
			t.Errorf("%s: the stub has %v, the generated file %v", name, got, want)
		}
	}
}

// signatures returns the exported functions and methods of a file with their types.
func signatures(f *ast.File) map[string]string {
	found := map[string]string{}
	for _, decl := range f.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok && d.Name.IsExported() {
			var b bytes.Buffer
			if d.Recv != nil {
				b.WriteString("method of " + d.Recv.List[0].Type.(*ast.Ident).Name + ": ")
			}
			for _, list := range []*ast.FieldList{d.Type.Params, d.Type.Results} {
				for _, field := range list.List {
					b.WriteString(exprText(field.Type) + " ")
				}
			}
			found[d.Name.Name] = b.String()
		}
	}
	return found
}

func exprText(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.StarExpr:
		return "*" + exprText(x.X)
	case *ast.SelectorExpr:
		return exprText(x.X) + "." + x.Sel.Name
	case *ast.ArrayType:
		return "[]" + exprText(x.Elt)
	}
	return "?"
}

func TestGenerateStubErrors(t *testing.T) {
	_, err := embedgen.GenerateStub(embedgen.Package{Name: "func"})
	if want := `package name "func" is not an ASCII Go identifier`; message(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestIsStub(t *testing.T) {
	stub := generateStub(t, embedgen.Package{Name: "packs", Data: "packs"})
	head := string(stub[:embedgen.StubHeadSize])
	for _, test := range []struct {
		src  string
		want bool
	}{
		{string(stub), true},
		{head, true},
		{strings.ReplaceAll(string(stub), "\n", "\r\n"), true},
		{strings.ReplaceAll(string(stub), "\n", "\r\n")[:embedgen.StubHeadSize], true},
		{"", false},
		{embedgen.Header, false},
		{embedgen.Header + "\n\npackage packs\n", false},
		{strings.Replace(head, "packvendor_stub", "!packvendor_stub", 1), false},
		{strings.Replace(head, "packvendor_stub", "packvendor_stub && linux", 1), false},
		{"\n" + string(stub), false},
	} {
		if got := embedgen.IsStub([]byte(test.src)); got != test.want {
			t.Errorf("IsStub(%q) = %t", test.src, got)
		}
	}
}

const stubMain = `package main

import (
	"fmt"

	"example.com/app/packs"
)

func main() {
	for _, p := range append(packs.Packs(), packs.A()) {
		fmt.Println(p.Name(), p.Ref(), p.ManifestDigest(), p.LayerDigest(), p.MediaType())
		fmt.Println(p.Size(), p.Reader().Len(), p.Bytes(), p.Verify())
	}
	a, ok := packs.Lookup("a")
	fmt.Println(a == packs.A(), ok)
	_, ok = packs.Lookup("c")
	fmt.Println(ok)
}
`

// With the tag the module needs no packs: the go command and staticcheck accept it. The program
// has no marker, and says that it has no bytes.
func TestRunStub(t *testing.T) {
	p := embedgen.Package{Name: "packs", ImportPath: "example.com/app/packs", Data: "packs", Stub: true}
	for _, name := range []string{"b", "a"} {
		p.Packs = append(p.Packs, embedgen.Pack{
			Name: name, GoName: strings.ToUpper(name), Ref: "ghcr.io/a/" + name + ":1", ManifestDigest: digestA, LayerDigest: digestB, MediaType: "application/zip", Size: 3,
		})
	}
	m := newModule(t, stubMain, nil)
	m.write("packs/packs_gen.go", generate(t, p))
	m.write("packs/packs_gen_stub.go", generateStub(t, p))
	m.goCommand("vet", "-tags=packvendor_stub", "./...")
	line := func(name string) string {
		return name + " ghcr.io/a/" + name + ":1 " + digestA + " " + digestB + " application/zip\n" +
			"0 0 [] pack " + name + ": this program was built with -tags packvendor_stub, and has no bytes of packs\n"
	}
	if got, want := m.goCommand("run", "-tags=packvendor_stub", "."), line("a")+line("b")+line("a")+"true true\nfalse\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	program := filepath.Join(m.dir, "app")
	m.goCommand("build", "-tags=packvendor_stub", "-o", program, ".")
	wantLinked(t, program, map[string][]byte{"a": random(t), "b": random(t)}, nil)

	for _, name := range []string{"a", "b"} {
		m.write("packs/packs/"+name+".gtpack", []byte("abc"))
	}
	m.goCommand("build", "-o", program, ".")
	if src := m.build(); !bytes.Contains(src, marker.Start()) {
		t.Error("without the tag the program has no marker")
	}

	staticcheck := packtest.NeedProgram(t, "staticcheck")
	cmd := exec.Command(staticcheck, "-checks", "all,-ST1000", "-tags", "packvendor_stub", "./...")
	cmd.Dir = m.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

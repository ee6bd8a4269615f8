package embedgen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docs/format.md names each exported identifier of a generated file.
func TestReference(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "format.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### API\n")
	section, _, _ = strings.Cut(section, "\n### Promise\n")
	src, err := Generate(Package{Name: "packs", Data: "packs", Packs: []Pack{{Name: "messaging-slack", GoName: "MessagingSlack", Size: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := exported(file)
	if len(names) != 13 {
		t.Errorf("the generated file has the identifiers %v: does the page promise those?", names)
	}
	for _, name := range names {
		if !strings.Contains(section, "`"+name+"`") && !strings.Contains(section, "`"+name+"(") {
			t.Errorf("docs/format.md does not have %s", name)
		}
	}
}

// exported returns the exported identifiers of a file; a method's has its type before.
func exported(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = d.Recv.List[0].Type.(*ast.Ident).Name + "." + name
			}
			if d.Name.IsExported() {
				names = append(names, name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				for _, name := range specNames(spec) {
					if ast.IsExported(name) {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

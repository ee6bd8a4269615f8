package embedgen

import (
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"testing"
)

// The lists that Clashes goes by must be what the generated file really uses.
func TestUsedNames(t *testing.T) {
	p := Package{Name: "x", Data: "packs", Packs: []Pack{{Name: "a", GoName: "A"}}}
	src, err := Generate(p)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, id := range f.Unresolved {
		if types.Universe.Lookup(id.Name) != nil {
			names = append(names, id.Name)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); !slices.Equal(names, predeclared) {
		t.Errorf("uses %q, listed are %q", names, predeclared)
	}
	var paths []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if path != "embed" {
			paths = append(paths, path)
		}
	}
	if !slices.Equal(paths, imports) {
		t.Errorf("imports %q, listed are %q", paths, imports)
	}
}

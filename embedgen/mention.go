package embedgen

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A Mention is a name and its place in a source file.
type Mention struct {
	Line int
	Name string
}

// Mentions returns the places where src, another Go file of the same package, names a
// variable of the file generated from p: each name once, in the order of the source.
// Only the generated file may use these variables, so neither the kind of use matters,
// nor whether a local declaration hides them.
func (p Package) Mentions(src []byte) []Mention {
	words := p.Words(src)
	if len(words) == 0 {
		return nil
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "", src, parser.SkipObjectResolution)
	if err != nil || importsC(f) {
		return words // a newer Go, or C in a comment
	}
	m := &mentions{set: set, names: p.variables()}
	ast.Walk(m, f)
	return m.found
}

// Words returns the places where src, a text in any language, has the name of a
// variable of the file generated from p as a word: each name once, by name.
func (p Package) Words(src []byte) []Mention {
	var found []Mention
	if !bytes.Contains(src, []byte(bytesType)) {
		return nil
	}
	for _, name := range p.variables() {
		if at := indexWord(src, name); at >= 0 {
			found = append(found, Mention{Line: lineAt(src, at), Name: name})
		}
	}
	return found
}

// variables are the names of the variables that hold the packs' bytes, and of those that
// point to them.
func (p Package) variables() []string {
	var names []string
	for _, pack := range p.Packs {
		names = append(names, pack.bytesVariable(), pack.packedVariable())
	}
	slices.Sort(names)
	return names
}

func importsC(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(spec *ast.ImportSpec) bool { return spec.Path.Value == `"C"` || spec.Path.Value == "`C`" })
}

// mentions is an ast.Visitor that finds identifiers.
type mentions struct {
	set   *token.FileSet
	names []string // to look for
	found []Mention
}

func (m *mentions) Visit(node ast.Node) ast.Visitor {
	switch n := node.(type) {
	case *ast.Ident:
		m.see(n)
	case *ast.SelectorExpr: // n.Sel belongs to another scope
		ast.Walk(m, n.X)
		return nil
	case *ast.KeyValueExpr:
		if _, ok := n.Key.(*ast.Ident); ok { // a field, or a map's key, which is only read
			ast.Walk(m, n.Value)
			return nil
		}
	case *ast.FuncDecl:
		if n.Recv != nil && n.Body != nil {
			ast.Walk(m, n.Recv)
			ast.Walk(m, n.Type)
			ast.Walk(m, n.Body)
			return nil
		}
	case *ast.StructType:
		m.walkTypes(n.Fields)
		return nil
	case *ast.InterfaceType:
		m.walkTypes(n.Methods)
		return nil
	}
	return m
}

// walkTypes walks the types of fields but not their names, which are not the package's.
func (m *mentions) walkTypes(fields *ast.FieldList) {
	for _, field := range fields.List {
		ast.Walk(m, field.Type)
	}
}

func (m *mentions) see(id *ast.Ident) {
	known := slices.ContainsFunc(m.found, func(found Mention) bool { return found.Name == id.Name })
	if !known && slices.Contains(m.names, id.Name) {
		m.found = append(m.found, Mention{Line: m.set.PositionFor(id.Pos(), false).Line, Name: id.Name})
	}
}

// indexWord returns the start of the first word name in src, -1 if there is none.
func indexWord(src []byte, name string) int {
	for from := 0; ; {
		at := bytes.Index(src[from:], []byte(name))
		if at < 0 {
			return -1
		}
		at += from
		before, _ := utf8.DecodeLastRune(src[:at])
		after, _ := utf8.DecodeRune(src[at+len(name):])
		if !isWordRune(before) && !isWordRune(after) {
			return at
		}
		from = at + len(name)
	}
}

func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// lineAt returns the number of the line that holds src[at].
func lineAt(src []byte, at int) int { return 1 + bytes.Count(src[:at], []byte("\n")) }

package embedgen

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
)

// IsGenerated reports whether this package wrote src, by its first line alone; a CRLF
// checkout counts.
func IsGenerated(src []byte) bool {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	return string(bytes.TrimSuffix(first, []byte("\r"))) == Header
}

// PackageName returns the name in src's package clause; it reads nothing after the
// clause. The error starts with line and column.
func PackageName(src []byte) (string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly)
	if err != nil {
		return "", err
	}
	return f.Name.Name, nil
}

// IsIgnored reports whether no build ever takes src: its //go:build line requires the
// tag "ignore", which by convention is never set.
func IsIgnored(src []byte) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		return false
	}
	for _, group := range f.Comments {
		for _, comment := range group.List {
			if comment.Pos() > f.Package || !constraint.IsGoBuild(comment.Text) {
				continue
			}
			if expr, err := constraint.Parse(comment.Text); err == nil && asksToIgnore(expr) {
				return true
			}
		}
	}
	return false
}

func asksToIgnore(expr constraint.Expr) bool {
	switch e := expr.(type) {
	case *constraint.TagExpr:
		return e.Tag == "ignore"
	case *constraint.AndExpr:
		return asksToIgnore(e.X) || asksToIgnore(e.Y)
	case *constraint.OrExpr:
		return asksToIgnore(e.X) && asksToIgnore(e.Y)
	}
	return false
}

func parseFile(src []byte) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
}

// declared returns the names of a file's functions, types, variables and
// constants.
func declared(f *ast.File) []string {
	var names []string
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				names = append(names, specNames(spec)...)
			}
		}
	}
	return names
}

func specNames(spec ast.Spec) []string {
	var names []string
	switch s := spec.(type) {
	case *ast.TypeSpec:
		names = append(names, s.Name.Name)
	case *ast.ValueSpec:
		for _, name := range s.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

// importNames returns the explicit names of imports: an import and a declaration in
// another file of the package cannot share a name. It does not guess the names of other
// imports.
func importNames(f *ast.File) []string {
	var names []string
	for _, spec := range f.Imports {
		if spec.Name != nil {
			names = append(names, spec.Name.Name)
		}
	}
	return names
}

package embedgen

import (
	"bytes"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// IsGenerated reports whether src is a file that this package wrote, by its
// first line alone; a CRLF checkout counts.
func IsGenerated(src []byte) bool {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	return string(bytes.TrimSuffix(first, []byte("\r"))) == Header
}

// PackageName returns the name in src's package clause; nothing after the
// clause is read. The error starts with line and column.
func PackageName(src []byte) (string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly)
	if err != nil {
		return "", err
	}
	return f.Name.Name, nil
}

// IsIgnored reports whether no build ever takes src: its //go:build line asks
// for the tag "ignore", which by convention is never set.
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

// Declared returns the names that a Go file claims for its package, sorted,
// each once: functions, types, variables, constants, and names given to
// imports, for an import and a package-level declaration in another file
// cannot share a name. Imports without a name of their own are not guessed.
//
// On a syntax error, which starts with line and column, the names found so
// far come with it.
func Declared(src []byte) ([]string, error) {
	f, err := parseFile(src)
	return sortedNames(append(declared(f), importNames(f)...)), err
}

func parseFile(src []byte) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
}

func declared(f *ast.File) []string {
	var names []string
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name != "init" { // init declares no name
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

func importNames(f *ast.File) []string {
	var names []string
	for _, spec := range f.Imports {
		if spec.Name != nil && spec.Name.Name != "." {
			names = append(names, spec.Name.Name)
		}
	}
	return names
}

// sortedNames drops what is no name: "_" can be declared any number of times.
func sortedNames(names []string) []string {
	slices.SortFunc(names, strings.Compare)
	names = slices.DeleteFunc(names, func(s string) bool { return s == "_" })
	return slices.Compact(names)
}

// Package override finds causes of other bytes in a program than the vendored ones.
package override

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// An Error reports a setting or file that can give a program other bytes than the
// vendored ones, although every file of packvendor is right.
type Error struct {
	Path   string
	Line   int // 0 if the error is about no line
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Path + " " + e.Reason
	}
	return fmt.Sprintf("%s:%d %s", e.Path, e.Line, e.Reason)
}

// FindOverlay reports that the build replaces files on disk: file is the value of
// -overlay, "" for none.
func FindOverlay(file string) error {
	if file == "" {
		return nil
	}
	return &Error{Path: "GOFLAGS", Reason: "has -overlay=" + file + ": what is compiled is not what is here"}
}

// FindStubTag reports that the build has the stub in the place of the packs: tags is the value of
// -tags.
func FindStubTag(tags string) error {
	isEnd := func(r rune) bool { return r == ',' || unicode.IsSpace(r) }
	if !slices.Contains(strings.FieldsFunc(tags, isEnd), embedgen.StubTag) {
		return nil
	}
	return &Error{Path: "GOFLAGS", Reason: "has the build tag " + embedgen.StubTag + ": a program has the stub, without the bytes of packs"}
}

// A target is a project whose packs other files may override.
type target struct{ *project.Project }

// Find returns the places in p's package pkg, with the other files files, and in its
// module that touch declarations of the generated file. It waits for the module's scan.
func Find(p *project.Project, pkg embedgen.Package, files []project.GoFile, scan *Scan) ([]error, error) {
	return target{p}.touches(pkg, files, scan)
}

func (p target) touches(pkg embedgen.Package, files []project.GoFile, scan *Scan) ([]error, error) {
	importPath := p.ImportPath()
	found := p.goTouches(pkg, files)
	others, err := p.otherTouches(pkg, importPath)
	if err != nil {
		return nil, err
	}
	uses, err := scan.wait()
	var long *project.LongFileError
	if errors.As(err, &long) {
		name, relErr := filepath.Rel(p.Module, long.File)
		return nil, errors.Join(relErr, &project.LongFileError{File: p.Show(filepath.ToSlash(name)), Limit: long.Limit})
	}
	return slices.Concat(found, others, p.symbolTouches(pkg, importPath, uses), p.replacementsBelow(scan.mods)), nil
}

// goTouches looks at the package's other Go files. No program contains tests.
func (p target) goTouches(pkg embedgen.Package, files []project.GoFile) []error {
	var found []error
	for _, file := range files {
		if name, err := embedgen.PackageName(file.Source); file.IsTest() || err == nil && name != pkg.Name {
			continue
		}
		for _, m := range pkg.Mentions(file.Source) {
			found = append(found, p.uses(file.Name, m.Line, m.Name))
		}
	}
	return found
}

// otherSources are the extensions of other files that the go command compiles or
// includes: https://pkg.go.dev/go/build#Package. A .syso file is no text.
var otherSources = strings.Fields(".c .cc .cpp .cxx .m .h .hh .hpp .hxx .f .F .for .f90 .s .S .sx .swig .swigcxx")

func isOtherSource(name string) bool { return slices.Contains(otherSources, path.Ext(name)) }

// otherTouches looks at the package's files in other languages: none may name a
// variable, and assembly may name no function.
func (p target) otherTouches(pkg embedgen.Package, importPath string) ([]error, error) {
	var found []error
	err := p.EachSource(isOtherSource, func(file string, source []byte) {
		if line, target := strayInclude(source); line > 0 {
			found = append(found, &Error{Path: p.Show(file), Line: line, Reason: fmt.Sprintf("includes %+q, which is no source file of the package", target)})
		}
		seen := map[string]bool{}
		for _, m := range slices.Concat(pkg.Words(source), ownSymbols(pkg, importPath, source)) {
			if !seen[m.Name] {
				found = append(found, p.uses(file, m.Line, m.Name))
			}
			seen[m.Name] = true
		}
	})
	return found, err
}

// strayInclude returns the first line that includes an unread file: one elsewhere, or
// one with another extension. The line is 0 if there is none.
func strayInclude(source []byte) (line int, target string) {
	for text := range strings.Lines(string(source)) {
		line++
		rest, isDirective := strings.CutPrefix(strings.TrimSpace(text), "#")
		rest, isInclude := strings.CutPrefix(strings.TrimSpace(rest), "include")
		_, quoted, isQuoted := strings.Cut(rest, `"`)
		target, _, _ := strings.Cut(quoted, `"`)
		if isDirective && isInclude && isQuoted && (strings.ContainsAny(target, `/\`) || !isOtherSource(target)) {
			return line, target
		}
	}
	return 0, ""
}

// ownSymbols returns the symbols in a file of the package that the generated file
// declares.
func ownSymbols(pkg embedgen.Package, importPath string, source []byte) []embedgen.Mention {
	var found []embedgen.Mention
	for _, symbol := range embedgen.Symbols(source) {
		local, ok := strings.CutPrefix(symbol.Name, ".")
		if !ok {
			local, ok = pkg.LocalName(importPath, symbol.Name)
		}
		if ok && pkg.Owns(local) {
			found = append(found, embedgen.Mention{Line: symbol.Line, Name: local})
		}
	}
	return found
}

// symbolTouches looks at the symbols in files of the whole module.
func (p target) symbolTouches(pkg embedgen.Package, importPath string, uses []symbolUse) []error {
	dir := filepath.Join(p.Module, filepath.FromSlash(p.Dir))
	var found []error
	for _, use := range uses {
		name, err := filepath.Rel(p.Module, use.file)
		if err != nil {
			continue
		}
		file, own := filepath.ToSlash(name), filepath.Dir(use.file) == dir
		local, ok := pkg.LocalName(importPath, use.symbol)
		switch {
		case own && use.local == "": // assembly: told already
		case own && pkg.Owns(use.local):
			found = append(found, p.uses(file, use.line, use.local))
		case own && ok && pkg.Owns(local):
			found = append(found, p.uses(file, use.line, local))
		case !own && ok:
			found = append(found, &Error{Path: p.Show(file), Line: use.line, Reason: "uses " + use.symbol + ", a symbol of the packs' package"})
		}
	}
	return found
}

// uses returns the error of a line that uses a name of the generated file.
func (p target) uses(file string, line int, name string) error {
	return &Error{Path: p.Show(file), Line: line, Reason: "uses " + name + ", which is the generated file's alone"}
}

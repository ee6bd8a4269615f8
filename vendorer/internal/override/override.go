// Package override finds what gives a program other bytes than those that are vendored.
package override

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// An Error reports what can give a program other bytes than those that are
// vendored, although every file that packvendor wrote is as it must be.
type Error struct {
	Path   string
	Line   int // 0 if it is not about a line
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Path + " " + e.Reason
	}
	return fmt.Sprintf("%s:%d %s", e.Path, e.Line, e.Reason)
}

// FindOverlay returns what says that files of the build are not those on disk: file is
// what -overlay names, "" for nothing.
func FindOverlay(file string) error {
	if file == "" {
		return nil
	}
	return &Error{Path: "GOFLAGS", Reason: "has -overlay=" + file + ": what is compiled is not what is here"}
}

// A target is a project whose packs other files may override.
type target struct{ *project.Project }

// Find returns what in p's package pkg, whose other files are files, and in its
// module touches what the generated file declares. It waits for the module's scan.
func Find(p *project.Project, pkg embedgen.Package, files []project.GoFile, scan *Scan) ([]error, error) {
	return target{p}.touches(pkg, files, scan)
}

func (p target) touches(pkg embedgen.Package, files []project.GoFile, scan *Scan) ([]error, error) {
	importPath := p.importPath()
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

// goTouches is about the package's other Go files. Tests are in no program.
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

// otherSources are the endings of what the go command compiles besides Go files, and
// of what that includes: https://pkg.go.dev/go/build#Package. A .syso file is no text.
var otherSources = strings.Fields(".c .cc .cpp .cxx .m .h .hh .hpp .hxx .f .F .for .f90 .s .S .sx .swig .swigcxx")

func isOtherSource(name string) bool { return slices.Contains(otherSources, path.Ext(name)) }

// otherTouches is about the package's files in other languages: a variable is not
// named in any of them, a function not in assembly.
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

// strayInclude returns the first line that includes a file which is not among what is
// read: one elsewhere, or one with another ending. The line is 0 if there is none.
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

// ownSymbols returns where a file of the package names, as a symbol, what the
// generated file declares.
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

// symbolTouches is about symbols that files of the whole module name.
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

// uses is the error of a line that names what it must not.
func (p target) uses(file string, line int, name string) error {
	return &Error{Path: p.Show(file), Line: line, Reason: "uses " + name + ", which is the generated file's alone"}
}

// importPath is the package's, "" if go.mod does not say the module's.
func (p target) importPath() string {
	module := p.modulePath()
	if module == "" {
		return ""
	}
	return path.Join(module, p.Dir)
}

// modulePath is the module's, "" if go.mod does not say it.
func (p target) modulePath() string {
	data, err := regularfile.Read(nil, filepath.Join(p.Module, project.GoMod), project.MaxSource)
	if err != nil {
		return ""
	}
	return modulePathIn(data)
}

// modulePathIn is the path of the module whose go.mod data is, "" if it says none. A
// module line may stand in a block, as any other.
func modulePathIn(data []byte) string {
	mod, err := modfile.ParseLax(project.GoMod, data, nil)
	if err != nil || mod.Module == nil {
		return ""
	}
	return mod.Module.Mod.Path
}

package vendorer

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/embedgen"
)

// A TouchError reports what can give a program other bytes than those that are
// vendored, although every file that packvendor wrote is as it must be.
type TouchError struct {
	Path   string
	Line   int // 0 if it is not about a line
	Reason string
}

func (e *TouchError) Error() string {
	if e.Line == 0 {
		return e.Path + " " + e.Reason
	}
	return fmt.Sprintf("%s:%d %s", e.Path, e.Line, e.Reason)
}

// touches says what in the package and in its module touches what the generated file
// declares. It waits for the module's scan.
func (p *project) touches(pkg embedgen.Package, files []goFile, scan *moduleScan) ([]error, error) {
	importPath := p.importPath()
	found := p.goTouches(pkg, files)
	others, err := p.otherTouches(pkg, importPath)
	if err != nil {
		return nil, err
	}
	uses, err := scan.wait()
	var long *LongFileError
	if errors.As(err, &long) {
		name, relErr := filepath.Rel(p.module, long.File)
		return nil, errors.Join(relErr, &LongFileError{File: p.show(filepath.ToSlash(name)), Limit: long.Limit})
	}
	return slices.Concat(found, others, p.symbolTouches(pkg, importPath, uses), p.replacementsBelow(scan.mods)), nil
}

// goTouches is about the package's other Go files. Tests are in no program.
func (p *project) goTouches(pkg embedgen.Package, files []goFile) []error {
	var found []error
	for _, file := range files {
		if name, err := embedgen.PackageName(file.source); file.isTest() || err == nil && name != pkg.Name {
			continue
		}
		for _, m := range pkg.Mentions(file.source) {
			found = append(found, p.uses(file.name, m.Line, m.Name))
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
func (p *project) otherTouches(pkg embedgen.Package, importPath string) ([]error, error) {
	var found []error
	err := p.eachSource(isOtherSource, func(file string, source []byte) {
		if line, target := strayInclude(source); line > 0 {
			found = append(found, &TouchError{Path: p.show(file), Line: line, Reason: fmt.Sprintf("includes %+q, which is no source file of the package", target)})
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
func (p *project) symbolTouches(pkg embedgen.Package, importPath string, uses []symbolUse) []error {
	dir := filepath.Join(p.module, filepath.FromSlash(p.dir))
	var found []error
	for _, use := range uses {
		name, err := filepath.Rel(p.module, use.file)
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
			found = append(found, &TouchError{Path: p.show(file), Line: use.line, Reason: "uses " + use.symbol + ", a symbol of the packs' package"})
		}
	}
	return found
}

// uses is the TouchError of a line that names what it must not.
func (p *project) uses(file string, line int, name string) error {
	return &TouchError{Path: p.show(file), Line: line, Reason: "uses " + name + ", which is the generated file's alone"}
}

// importPath is the package's, "" if go.mod does not say the module's.
func (p *project) importPath() string {
	module := p.modulePath()
	if module == "" {
		return ""
	}
	return path.Join(module, p.dir)
}

// modulePath is the module's, "" if go.mod does not say it.
func (p *project) modulePath() string {
	data, err := readPlain(filepath.Join(p.module, goMod))
	if err != nil {
		return ""
	}
	return modulePathIn(data)
}

// modulePathIn is the path of the module whose go.mod data is, "" if it says none. A
// module line may stand in a block, as any other.
func modulePathIn(data []byte) string {
	mod, err := modfile.ParseLax(goMod, data, nil)
	if err != nil || mod.Module == nil {
		return ""
	}
	return mod.Module.Mod.Path
}

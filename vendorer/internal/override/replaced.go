package override

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// FindReplacements reports each go.work, and each go.mod of a module around this one,
// that replaces this module by another directory. The module's own go.mod can only
// replace others. modFile is the value of -modfile, "" for none.
func FindReplacements(p *project.Project, modFile string) []error {
	return target{p}.replacements(modFile)
}

func (p target) replacements(modFile string) []error {
	own := p.ModulePath
	if own == "" {
		return []error{&Error{Path: p.Show(project.GoMod), Reason: "does not name the module, so what is put in its place is not known"}}
	}
	var found []error
	for dir := filepath.Dir(p.Module); ; dir = filepath.Dir(dir) {
		found = append(found, p.replacedIn(filepath.Join(dir, project.GoMod), own)...)
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if modFile != "" {
		found = append(found, p.replacedIn(p.absolute(modFile), own)...)
	}
	if work := p.workFile(); work != "" {
		found = append(found, p.replacedByWork(work, own)...)
	}
	return found
}

// replacementsBelow is FindReplacements for the go.mod files of modules in this one.
func (p target) replacementsBelow(files []string) []error {
	own := p.ModulePath
	if own == "" {
		return nil // told already
	}
	var found []error
	for _, file := range slices.Sorted(slices.Values(files)) {
		found = append(found, p.replacedIn(file, own)...)
	}
	return found
}

// replacedIn reads a go.mod; an unreadable one replaces nothing. In a module around
// this one the packs' package also has the path of a folder of that module.
func (p target) replacedIn(file, own string) []error {
	data, err := regularfile.Read(nil, file, project.MaxSource)
	if err != nil {
		return nil
	}
	mod, err := modfile.Parse(file, data, nil)
	if err != nil || mod.Module == nil {
		return nil
	}
	found := p.replacedBy(file, own, mod.Replace)
	below, err := filepath.Rel(filepath.Dir(file), p.Module)
	if err == nil && below != "." && filepath.IsLocal(below) {
		found = append(found, p.replacedBy(file, path.Join(mod.Module.Mod.Path, filepath.ToSlash(below)), mod.Replace)...)
	}
	return found
}

// replacedByWork reads a go.work, which can also use another directory with the
// module's path.
func (p target) replacedByWork(file, own string) []error {
	data, err := regularfile.Read(nil, file, project.MaxSource)
	if err != nil {
		return nil
	}
	work, err := modfile.ParseWork(file, data, nil)
	if err != nil {
		return nil
	}
	found := p.replacedBy(file, own, work.Replace)
	for _, use := range work.Use {
		dir := fromFile(file, use.Path)
		mod, err := regularfile.Read(nil, filepath.Join(dir, project.GoMod), project.MaxSource)
		if err == nil && project.ModulePathIn(mod) == own && !regularfile.Same(dir, p.Module) {
			found = append(found, p.replaced(file, use.Syntax.Start.Line, own, use.Path))
		}
	}
	return found
}

func (p target) replacedBy(file, own string, replaces []*modfile.Replace) []error {
	var found []error
	for _, r := range replaces {
		if r.Old.Path != own || r.New.Version == "" && regularfile.Same(fromFile(file, r.New.Path), p.Module) {
			continue
		}
		found = append(found, p.replaced(file, r.Syntax.Start.Line, own, r.New.String()))
	}
	return found
}

func (p target) replaced(file string, line int, own, by string) error {
	name, err := filepath.Rel(p.Module, file)
	if err == nil {
		file = p.Show(filepath.ToSlash(name))
	}
	return &Error{Path: file, Line: line, Reason: fmt.Sprintf("puts %s in the place of %s, the packs' module", by, own)}
}

// workFile returns the go.work that holds in the package's directory, "" if none does:
// https://go.dev/ref/mod#workspaces
func (p target) workFile() string {
	switch file := os.Getenv("GOWORK"); file {
	case "off":
		return ""
	case "", "auto":
	default:
		return file
	}
	return project.NearestWork(p.absolute("."))
}

// absolute returns a path that is relative to the package's directory.
func (p target) absolute(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.Module, filepath.FromSlash(p.Dir), name)
}

// fromFile returns a directory named in a go.mod or go.work.
func fromFile(file, dir string) string {
	if dir = filepath.FromSlash(dir); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(filepath.Dir(file), dir)
}

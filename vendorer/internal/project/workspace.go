package project

import (
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// goWork is the name of the file of a Go workspace.
const goWork = "go.work"

// NearestWork returns the go.work in dir, an absolute path, or in the nearest directory
// above; "" if there is none.
func NearestWork(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		file := filepath.Join(at, goWork)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
		if at == filepath.Dir(at) {
			return ""
		}
	}
}

// WorkModules returns the directories that a go.work uses, as far as they have a go.mod;
// none if the file cannot be read.
func WorkModules(file string) (modules []string) {
	data, err := regularfile.Read(nil, file, MaxSource)
	if err != nil {
		return nil
	}
	work, err := modfile.ParseWork(file, data, nil)
	if err != nil {
		return nil
	}
	for _, use := range work.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		if info, err := os.Stat(filepath.Join(dir, GoMod)); err == nil && !info.IsDir() {
			modules = append(modules, dir)
		}
	}
	return modules
}

// noModule returns the error for a directory that is in no module. In a workspace it
// names a module.
func noModule(dir string) *NoModuleError {
	e := &NoModuleError{Dir: dir}
	work := NearestWork(dir)
	for _, module := range WorkModules(work) {
		_, err := os.Lstat(filepath.Join(module, "packs.toml"))
		if hasTOML := err == nil; e.Workspace == "" || hasTOML && !e.HasTOML {
			e.Workspace, e.Module, e.HasTOML = work, fromHere(module), hasTOML
		}
	}
	return e
}

// ModuleDir returns the module's root, from the working directory, if that is in another
// module or in none; else "".
func (p *Project) ModuleDir() string {
	if here, err := os.Getwd(); err == nil {
		if module, err := ModuleRoot(here); err == nil && module == p.Module {
			return ""
		}
	}
	return fromHere(p.Module)
}

// fromHere returns an absolute path relative to the working directory, if it can.
func fromHere(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	below, err := filepath.Rel(here, dir)
	if err != nil {
		return dir
	}
	return below
}

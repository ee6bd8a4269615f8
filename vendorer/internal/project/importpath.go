package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// A GoModError reports a go.mod that the go command would not read either.
type GoModError struct {
	File string
	Line int
	Err  error
}

func (e *GoModError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// ImportPath returns the import path of the generated file's package, "" if go.mod names no
// module.
func (p *Project) ImportPath() string {
	if p.ModulePath == "" {
		return ""
	}
	return path.Join(p.ModulePath, p.Dir)
}

// readGoMod sets ModulePath. Errors: *GoModError, *PlaceError, *LongFileError, *fs.PathError.
func (p *Project) readGoMod() error {
	data, err := regularfile.Read(nil, filepath.Join(p.Module, GoMod), MaxSource)
	if errors.Is(err, fs.ErrNotExist) { // it was there a moment ago
		return nil
	}
	if err != nil {
		return p.located(GoMod, err)
	}
	mod, err := modfile.ParseLax(GoMod, data, nil)
	var faults modfile.ErrorList
	if errors.As(err, &faults) && len(faults) > 0 {
		return &GoModError{File: p.Show(GoMod), Line: faults[0].Pos.Line, Err: faults[0].Err}
	}
	if err != nil {
		return err
	}
	p.ModulePath = modulePath(mod)
	return nil
}

// ModulePathIn returns the module path in a go.mod, "" if there is none. A module line
// may be in a block, like any other.
func ModulePathIn(data []byte) string {
	mod, err := modfile.ParseLax(GoMod, data, nil)
	if err != nil {
		return ""
	}
	return modulePath(mod)
}

func modulePath(mod *modfile.File) string {
	if mod.Module == nil {
		return ""
	}
	return mod.Module.Mod.Path
}

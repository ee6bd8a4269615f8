package project

import (
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// ImportPath returns the import path of the generated file's package, "" if go.mod names no
// module.
func (p *Project) ImportPath() string {
	module := p.ModulePath()
	if module == "" {
		return ""
	}
	return path.Join(module, p.Dir)
}

// ModulePath returns the module's path, "" if go.mod does not name it.
func (p *Project) ModulePath() string {
	data, err := regularfile.Read(nil, filepath.Join(p.Module, GoMod), MaxSource)
	if err != nil {
		return ""
	}
	return ModulePathIn(data)
}

// ModulePathIn returns the module path in a go.mod, "" if there is none. A module line
// may be in a block, like any other.
func ModulePathIn(data []byte) string {
	mod, err := modfile.ParseLax(GoMod, data, nil)
	if err != nil || mod.Module == nil {
		return ""
	}
	return mod.Module.Mod.Path
}

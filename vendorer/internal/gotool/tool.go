package gotool

import (
	"slices"

	"golang.org/x/mod/modfile"
)

// Packvendor is packvendor's own package, as go.mod's tool lines name it.
const Packvendor = "github.com/greenticai/packvendor/cmd/packvendor"

// HasPackvendor tells whether a module file, whose name and bytes are given, names
// packvendor as a tool.
func HasPackvendor(name string, data []byte) (bool, error) {
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(mod.Tool, func(t *modfile.Tool) bool { return t.Path == Packvendor }), nil
}

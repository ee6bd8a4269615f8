package embedgen

import (
	"path"
	"slices"
)

// Clashes returns the names in src, another file of the same package, that conflict
// with the file generated from p: sorted, each once, nil if there are none. A syntax
// error starts with line and column; the names found so far come with it.
func (p Package) Clashes(src []byte) ([]string, error) {
	f, err := parseFile(src)
	ours := p.Declarations()
	used := usedNames()
	var clashes []string
	for _, name := range declared(f) {
		if isIn(ours, name) || slices.Contains(used, name) {
			clashes = append(clashes, name)
		}
	}
	for _, name := range importNames(f) {
		if isIn(ours, name) {
			clashes = append(clashes, name)
		}
	}
	slices.Sort(clashes)
	return slices.Compact(clashes), err
}

// isIn reports whether the sorted names contain one.
func isIn(names []string, name string) bool {
	_, found := slices.BinarySearch(names, name)
	return found
}

// predeclared are the universe's names that packType uses; another file of the package
// may have redefined them.
var predeclared = []string{"bool", "byte", "error", "false", "int64", "len", "nil", "string", "true"}

// usedNames are the names that the generated file uses and does not declare.
func usedNames() []string {
	names := slices.Clone(predeclared)
	for _, dependency := range imports {
		names = append(names, path.Base(dependency))
	}
	return names
}

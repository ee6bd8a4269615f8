package embedgen

import (
	"fmt"
	"path"
	"slices"

	"github.com/greenticai/packvendor/internal/names"
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

// check accepts only values that cannot break out of their place in the source, and
// that the go command's embed rules allow.
func (p Package) check() error {
	if err := names.CheckPackage(p.Name); err != nil {
		return fmt.Errorf("package name %+q %w", p.Name, err)
	}
	if err := names.CheckData(p.Data); err != nil {
		return fmt.Errorf("data folder %+q %w", p.Data, err)
	}
	given, goNames := map[string]bool{}, map[string]string{}
	for _, pack := range p.Packs {
		if err := pack.check(); err != nil {
			return fmt.Errorf("pack %+q: %w", pack.Name, err)
		}
		if given[pack.Name] {
			return fmt.Errorf("pack %+q is given twice", pack.Name)
		}
		if other, ok := goNames[pack.GoName]; ok {
			return fmt.Errorf("packs %+q and %+q have the same accessor name %s",
				min(other, pack.Name), max(other, pack.Name), pack.GoName)
		}
		given[pack.Name], goNames[pack.GoName] = true, pack.Name
	}
	return nil
}

func (p Pack) check() error {
	if err := names.CheckPack(p.Name); err != nil {
		return fmt.Errorf("the name %w", err)
	}
	if !names.IsExported(p.GoName) {
		return fmt.Errorf("accessor name %+q is not an exported ASCII identifier", p.GoName)
	}
	if slices.Contains(names.Taken, p.GoName) {
		return fmt.Errorf("accessor name %s is taken by the generated file itself", p.GoName)
	}
	if p.Size < 0 {
		return fmt.Errorf("size %d is negative", p.Size)
	}
	return nil
}

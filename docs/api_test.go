package docs_test

import (
	"go/types"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// TestPublicAPI holds the packages that others can import to types that others can
// name: whatever their exported names lead to is exported by one of them too, if need
// be as an alias.
func TestPublicAPI(t *testing.T) {
	public := publicPackages(t)
	a := &api{aliased: map[string]bool{}, seen: map[types.Type]bool{}}
	for _, pkg := range public {
		a.addAliases(pkg)
	}
	for _, pkg := range public {
		scope := pkg.Scope()
		for _, name := range scope.Names() {
			if o := scope.Lookup(name); o.Exported() {
				a.walk(o.Type(), pkg.Name()+"."+name)
			}
		}
	}
	for _, problem := range a.problems {
		t.Error(problem)
	}
}

// docs/library.md lists each field of packfetch.Options, in the order of the source, and
// each type of error.
func TestLibraryPage(t *testing.T) {
	data, err := os.ReadFile("library.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(data), "## Options\n")
	options, errors, _ := strings.Cut(page, "## Errors\n")
	all := publicPackages(t)
	i := slices.IndexFunc(all, func(pkg *types.Package) bool { return pkg.Name() == "packfetch" })
	scope := all[i].Scope()
	fields := scope.Lookup("Options").Type().Underlying().(*types.Struct)
	var want []string
	for i := range fields.NumFields() {
		want = append(want, fields.Field(i).Name())
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(options, -1) {
		got = append(got, row[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("library.md has the fields %q, packfetch.Options %q", got, want)
	}
	for _, name := range scope.Names() {
		if strings.HasSuffix(name, "Error") && !strings.Contains(errors, "`*"+name+"`") {
			t.Errorf("library.md does not have *%s", name)
		}
	}
}

// publicPackages returns the packages of design.md's table that others can import.
func publicPackages(t *testing.T) []*types.Package {
	t.Helper()
	var paths []string
	for name := range maps.Keys(roomTable(t)) {
		first, _, _ := strings.Cut(name, "/")
		if !strings.Contains(name, "internal") && first != "cmd" && first != "examples" {
			paths = append(paths, module+"/"+name)
		}
	}
	slices.Sort(paths)
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	var public []*types.Package
	for _, pkg := range loaded {
		for _, err := range pkg.Errors {
			t.Fatal(err)
		}
		public = append(public, pkg.Types)
	}
	return public
}

// An api goes over exported types and finds those that nobody outside can name.
type api struct {
	aliased  map[string]bool // internal types that a public package exports
	seen     map[types.Type]bool
	problems []string
}

// addAliases adds the types of other packages that pkg exports.
func (a *api) addAliases(pkg *types.Package) {
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		o, isType := scope.Lookup(name).(*types.TypeName)
		if !isType || !o.Exported() {
			continue
		}
		if named, ok := types.Unalias(o.Type()).(*types.Named); ok {
			a.aliased[nameOf(named)] = true
		}
	}
}

func nameOf(named *types.Named) string {
	return strings.TrimPrefix(named.Obj().Pkg().Path(), module+"/") + "." + named.Obj().Name()
}

// walk goes over the types that t, to which path leads, shows.
func (a *api) walk(t types.Type, path string) {
	t = types.Unalias(t)
	if a.seen[t] {
		return
	}
	a.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		a.walkNamed(t, path)
	case *types.Struct:
		for field := range t.Fields() {
			if field.Exported() {
				a.walk(field.Type(), path+"."+field.Name())
			}
		}
	case *types.Interface:
		for method := range t.Methods() {
			if method.Exported() {
				a.walk(method.Type(), path+"."+method.Name())
			}
		}
	case *types.Signature:
		for v := range t.Params().Variables() {
			a.walk(v.Type(), path)
		}
		for v := range t.Results().Variables() {
			a.walk(v.Type(), path)
		}
	case *types.Map:
		a.walk(t.Key(), path)
		a.walk(t.Elem(), path)
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		a.walk(t.Elem(), path)
	}
}

// walkNamed goes over a named type of this module, and over its methods.
func (a *api) walkNamed(t *types.Named, path string) {
	if pkg := t.Obj().Pkg(); pkg == nil || !strings.HasPrefix(pkg.Path(), module+"/") {
		return
	}
	if !a.aliased[nameOf(t)] {
		a.problems = append(a.problems, path+": nobody outside can name "+nameOf(t))
		return
	}
	a.walk(t.Underlying(), path)
	for method := range t.Methods() {
		if method.Exported() {
			a.walk(method.Type(), path+"."+method.Name())
		}
	}
}

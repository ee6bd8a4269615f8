package project

import (
	"errors"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/names"
)

// A GoFile is a Go file of the generated file's package.
type GoFile struct {
	Name    string // below the root
	Source  []byte
	Ignored bool // its build constraints keep it out of any package
}

// IsTest tells whether only tests contain the file.
func (f GoFile) IsTest() bool { return strings.HasSuffix(f.Name, "_test.go") }

// GoFiles reads the Go files in the package's directory, except the generated ones.
func (p *Project) GoFiles() ([]GoFile, error) { return p.GoFilesNamed(IsGo) }

func (p *Project) GoFilesNamed(wanted func(name string) bool) ([]GoFile, error) {
	var files []GoFile
	err := p.EachSource(wanted, func(name string, source []byte) {
		files = append(files, GoFile{Name: name, Source: source, Ignored: embedgen.IsIgnored(source)})
	})
	return files, err
}

func IsGo(name string) bool { return path.Ext(name) == ".go" }

// EachSource passes each file with a wanted name in the package's directory to read. It
// skips the generated files and files that the go command ignores.
func (p *Project) EachSource(wanted func(name string) bool, read func(name string, source []byte)) error {
	names, err := p.packageNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		full := path.Join(p.Dir, name)
		if full == p.GoFile || !wanted(name) {
			continue
		}
		at, err := p.SourceAt(full)
		if err != nil {
			return err
		}
		if at == "" {
			continue
		}
		source, err := p.ReadFile(at, MaxSource)
		if err != nil {
			return err
		}
		if full != p.StubFile || !embedgen.IsStub(source) {
			read(full, source)
		}
	}
	return nil
}

// packageNames returns the names in the package's directory, sorted, without those that
// the go command ignores.
func (p *Project) packageNames() ([]string, error) {
	dir, err := p.Root.Open(p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, p.located(p.Dir, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, p.located(p.Dir, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name[0] == '_' || name[0] == '.' })
	slices.Sort(names)
	return names, nil
}

// SourceAt returns the path of a source file, after a symbolic link if name is one, as
// the compiler follows it. It returns "" if the go command sees no file.
func (p *Project) SourceAt(name string) (string, error) {
	info, err := p.Root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil // removed just now
	case err != nil:
		return "", p.located(name, err)
	case info.Mode().IsRegular():
		return name, nil
	case info.Mode()&fs.ModeSymlink == 0:
		return "", nil
	}
	at, err := filepath.EvalSymlinks(filepath.Join(p.Module, filepath.FromSlash(name)))
	if err != nil {
		return "", &PlaceError{Path: p.Show(name), Reason: "is a symbolic link that leads nowhere"}
	}
	if info, err = os.Stat(at); err == nil && info.IsDir() {
		return "", nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return "", &PlaceError{Path: p.Show(name), Reason: "is a symbolic link to what is not a regular file"}
	}
	return p.inside(name, at)
}

// inside returns the path below the root of at, the target of the link name.
func (p *Project) inside(name, at string) (string, error) {
	module, err := filepath.EvalSymlinks(p.Module)
	if err != nil {
		return "", err
	}
	below, err := filepath.Rel(module, at)
	if err != nil || !filepath.IsLocal(below) {
		return "", &PlaceError{Path: p.Show(name), Reason: "is a symbolic link that leads out of the module"}
	}
	return filepath.ToSlash(below), nil
}

// PackageName returns the name of the Go package, by the rules of packs.toml's
// embed.package.
func (p *Project) PackageName(getenv func(string) string, files []GoFile) (string, error) {
	if name := p.Config.Embed.Package; name != "" {
		return name, nil // packsfile has checked it
	}
	name, found := p.derivedName(getenv, files)
	if name == "" || names.CheckPackage(name) != nil {
		return "", &PackageNameError{Dir: p.Show(p.Dir), Names: found}
	}
	return name, nil
}

// derivedName returns the package's name from the files, go generate or the directory,
// "" if none gives it, and the names in the files.
func (p *Project) derivedName(getenv func(string) string, files []GoFile) (name string, found []string) {
	inFiles := map[string]bool{}
	for _, file := range files {
		if file.IsTest() || file.Ignored {
			continue
		}
		if name, err := embedgen.PackageName(file.Source); err == nil {
			inFiles[name] = true
		}
	}
	found = slices.Sorted(maps.Keys(inFiles))
	if len(found) == 1 {
		return found[0], found
	}
	dirName := path.Base(filepath.ToSlash(filepath.Join(p.Module, filepath.FromSlash(p.Dir))))
	for _, name := range []string{p.goPackage(getenv), dirName} {
		if name != "" && (len(found) == 0 || inFiles[name]) {
			return name, found
		}
	}
	return "", found
}

// goPackage returns the package name from go generate, if it runs in this directory:
// https://pkg.go.dev/cmd/go#hdr-Generate_Go_files_by_processing_source
func (p *Project) goPackage(getenv func(string) string) string {
	name := strings.TrimSuffix(getenv("GOPACKAGE"), "_test")
	here, err := filepath.Abs(".")
	if err != nil || !token.IsIdentifier(name) || here != filepath.Join(p.Module, filepath.FromSlash(p.Dir)) {
		return ""
	}
	return name
}

// CheckClashes checks that the generated file compiles together with the package's
// other files. It leaves files that do not parse to the compiler.
func (p *Project) CheckClashes(pkg embedgen.Package, files []GoFile) error {
	var errs []error
	for _, file := range files {
		if name, err := embedgen.PackageName(file.Source); err != nil || name != pkg.Name || file.Ignored {
			continue
		}
		names, _ := pkg.Clashes(file.Source)
		if len(names) > 0 && embedgen.IsGenerated(file.Source) {
			errs = append(errs, p.superseded(file.Name, path.Base(p.GoFile)))
			continue
		}
		for _, clash := range clashesOf(pkg, names) {
			clash.File = p.Show(file.Name)
			if clash.Pack != "" {
				clash.GoName = freeGoName(pkg, files, clash.Pack)
			}
			errs = append(errs, clash)
		}
	}
	return errors.Join(errs...)
}

// clashesOf groups clashing names by their owner: the generated file itself, or a pack.
func clashesOf(pkg embedgen.Package, names []string) []*ClashError {
	byPack := map[string][]string{}
	for _, name := range names {
		owner := pkg.Owner(name)
		byPack[owner] = append(byPack[owner], name)
	}
	var clashes []*ClashError
	for _, pack := range slices.Sorted(maps.Keys(byPack)) {
		clashes = append(clashes, &ClashError{Names: byPack[pack], Pack: pack})
	}
	return clashes
}

// freeGoName returns a free Go name for a pack, "" if the first guess is not free.
func freeGoName(pkg embedgen.Package, files []GoFile, pack string) string {
	pkg.Packs = slices.Clone(pkg.Packs)
	i := slices.IndexFunc(pkg.Packs, func(p embedgen.Pack) bool { return p.Name == pack })
	guess := pkg.Packs[i].GoName + "Pack"
	if slices.Contains(pkg.Declarations(), guess) {
		return ""
	}
	pkg.Packs[i].GoName = guess
	for _, file := range files {
		if names, _ := pkg.Clashes(file.Source); slices.ContainsFunc(names, func(name string) bool { return pkg.Owner(name) == pack }) {
			return ""
		}
	}
	return guess
}

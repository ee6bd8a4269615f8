package vendorer

import (
	"errors"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/embedgen"
)

// A goFile is a Go file of the package that the generated file joins.
type goFile struct {
	name   string // below the root
	source []byte
}

// goFiles reads the Go files in the package's directory, the generated one and
// those that the go command ignores by their names aside.
func (p *project) goFiles() ([]goFile, error) {
	dir, err := p.root.Open(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, p.located(p.dir, err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, p.located(p.dir, err)
	}
	slices.Sort(names)
	var files []goFile
	for _, name := range names {
		full := path.Join(p.dir, name)
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || full == p.goFile {
			continue
		}
		if info, err := p.root.Stat(full); err != nil || !info.Mode().IsRegular() {
			continue
		}
		source, err := p.readFile(full, maxSource)
		if err != nil {
			return nil, err
		}
		files = append(files, goFile{name: full, source: source})
	}
	return files, nil
}

// packageName returns the name of the Go package, by the rules of packs.toml's
// embed.package.
func (p *project) packageName(o Options, files []goFile) (string, error) {
	if name := p.config.Embed.Package; name != "" {
		return name, nil // packsfile has checked it
	}
	name, found := p.derivedName(o, files)
	if name == "" || embedgen.CheckPackageName(name) != nil {
		return "", &PackageNameError{Dir: p.show(p.dir), Names: found}
	}
	return name, nil
}

// derivedName returns the package's name as the files, go generate or the
// directory have it, "" if none of them says, and the names that the files
// have.
func (p *project) derivedName(o Options, files []goFile) (name string, found []string) {
	names := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file.name, "_test.go") {
			continue
		}
		if name, err := embedgen.PackageName(file.source); err == nil {
			names[name] = true
		}
	}
	found = slices.Sorted(maps.Keys(names))
	if len(found) == 1 {
		return found[0], found
	}
	dirName := path.Base(filepath.ToSlash(filepath.Join(p.module, filepath.FromSlash(p.dir))))
	for _, name := range []string{p.goPackage(o), dirName} {
		if name != "" && (len(found) == 0 || names[name]) {
			return name, found
		}
	}
	return "", found
}

// goPackage returns what go generate says the package is, if it says so of
// this directory: https://pkg.go.dev/cmd/go#hdr-Generate_Go_files_by_processing_source
func (p *project) goPackage(o Options) string {
	name := strings.TrimSuffix(o.getenv("GOPACKAGE"), "_test")
	here, err := filepath.Abs(".")
	if err != nil || !token.IsIdentifier(name) || here != filepath.Join(p.module, filepath.FromSlash(p.dir)) {
		return ""
	}
	return name
}

// checkClashes sees that the generated file compiles together with the
// package's other files. Files that do not parse are left to the compiler.
func (p *project) checkClashes(pkg embedgen.Package, files []goFile) error {
	var errs []error
	for _, file := range files {
		if name, err := embedgen.PackageName(file.source); err != nil || name != pkg.Name {
			continue
		}
		if names, _ := pkg.Clashes(file.source); len(names) > 0 {
			errs = append(errs, &ClashError{File: p.show(file.name), Names: names})
		}
	}
	return errors.Join(errs...)
}

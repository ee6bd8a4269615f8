package vendorer

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// tomlName is packs.toml's name where no other is given.
const tomlName = "packs.toml"

// everything is the last element of a pattern: all folders there and below.
const everything = "..."

// Nearest returns the packs.toml of the working directory or, where there is none,
// that of the nearest directory above it in the same module. If there is none at all,
// it is "packs.toml".
func Nearest() string {
	here, err := filepath.Abs(".")
	if err != nil {
		return tomlName
	}
	module, err := project.ModuleRoot(here)
	if err != nil {
		return tomlName
	}
	for at, up := here, "."; ; at, up = filepath.Dir(at), filepath.Join(up, "..") {
		if _, err := os.Lstat(filepath.Join(at, tomlName)); err == nil {
			return filepath.Join(up, tomlName)
		}
		if at == module {
			return tomlName
		}
	}
}

// IsPattern tells whether a name may stand for several files: its last element, or
// the end of one, is "...".
func IsPattern(name string) bool {
	return slices.ContainsFunc(elements(name), func(e string) bool { return strings.HasSuffix(e, everything) })
}

func elements(name string) []string { return strings.Split(filepath.ToSlash(name), "/") }

// Files returns the files that names and patterns mean, each once, in their order. The
// pattern DIR/... means every packs.toml in DIR and below, those of other modules too;
// as the go command, it passes over directories called testdata or vendor, and those
// whose name begins with a dot or an underscore, and follows no symbolic link.
// Directories come before those in them. Names are not looked at. Errors:
// *UsageError, and those of the file system.
func Files(names []string) ([]string, error) {
	var files []string
	seen := map[string]bool{}
	for _, name := range names {
		found := []string{name}
		if IsPattern(name) {
			var err error
			if found, err = match(name); err != nil {
				return nil, err
			}
		}
		for _, file := range found {
			abs, err := filepath.Abs(file)
			if err != nil {
				return nil, err
			}
			if !seen[abs] {
				files = append(files, file)
			}
			seen[abs] = true
		}
	}
	return files, nil
}

// match returns the files that a pattern means.
func match(pattern string) ([]string, error) {
	dir, last := path.Split(filepath.ToSlash(pattern))
	if last != everything || IsPattern(dir) {
		return nil, &UsageError{Subject: pattern, Reason: "is no pattern: write DIR/... for every packs.toml in DIR and below"}
	}
	if dir == "" {
		dir = "."
	}
	dir = filepath.FromSlash(dir)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &UsageError{Subject: pattern, Reason: "matches no packs.toml: " + filepath.Clean(dir) + " is no directory"}
	}
	files, err := below(dir)
	if err == nil && len(files) == 0 {
		return nil, &UsageError{Subject: pattern, Reason: "matches no packs.toml"}
	}
	return files, err
}

// below returns every packs.toml in dir and below.
func below(dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return inDir(dir, err)
		case !entry.IsDir():
			return nil
		case name != "." && isPassedOver(entry.Name()):
			return fs.SkipDir
		}
		file := filepath.Join(dir, filepath.FromSlash(name), tomlName)
		if info, err := os.Lstat(file); err == nil && !info.IsDir() {
			files = append(files, file)
		}
		return nil
	})
	return files, err
}

// inDir gives an error about what is below dir the path by which it is called.
func inDir(dir string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return &fs.PathError{Op: pathErr.Op, Path: filepath.Join(dir, filepath.FromSlash(pathErr.Path)), Err: pathErr.Err}
	}
	return err
}

// isPassedOver tells whether the go command's patterns do not look into a directory of
// that name: https://pkg.go.dev/cmd/go#hdr-Package_lists_and_patterns
func isPassedOver(name string) bool {
	return name == "testdata" || name == "vendor" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

// HasTool tells whether the go.mod of the module around dir, an absolute path, names
// packvendor as a tool.
func HasTool(dir string) bool {
	module, err := project.ModuleRoot(dir)
	if err != nil {
		return false
	}
	data, err := regularfile.Read(nil, filepath.Join(module, project.GoMod), project.MaxSource)
	if err != nil {
		return false
	}
	has, _ := gotool.HasPackvendor(project.GoMod, data)
	return has
}

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
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// tomlName is the default name of packs.toml.
const tomlName = "packs.toml"

// everything is the last element of a pattern: the folder and all below.
const everything = "..."

// Nearest returns the packs.toml of the working directory, or else of the nearest
// directory above it in the same module. Without any, it returns "packs.toml".
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

// IsPattern tells whether a name may match several files: one of its elements ends in
// "...".
func IsPattern(name string) bool {
	return slices.ContainsFunc(elements(name), func(e string) bool { return strings.HasSuffix(e, everything) })
}

func elements(name string) []string { return strings.Split(filepath.ToSlash(name), "/") }

// Files returns the files of names and patterns, each once, in their order. The pattern
// DIR/... means every packs.toml in DIR and below, also in other modules. Like the go
// command, it skips directories called testdata or vendor, or with a leading dot or
// underscore, and follows no symbolic link. Directories precede their subdirectories.
// Files does not check that named files exist. Errors are *UsageError, and those of the
// file system.
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

// match returns the files of a pattern.
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

// inDir puts dir before the path in an error about a file below it.
func inDir(dir string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return &fs.PathError{Op: pathErr.Op, Path: filepath.Join(dir, filepath.FromSlash(pathErr.Path)), Err: pathErr.Err}
	}
	return err
}

// isPassedOver tells whether the go command's patterns skip directories of that name:
// https://pkg.go.dev/cmd/go#hdr-Package_lists_and_patterns
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
	return gotool.ModuleHasPackvendor(module)
}

func hasFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// Configured returns the packs that packs.toml at file names, as far as it can be
// read: this is for suggestions, not for work.
func Configured(file string) []packsfile.Pack {
	if config := configured(file); config != nil {
		return config.Packs
	}
	return nil
}

// configured returns what the packs.toml at file says, nil if that is not to be known.
func configured(file string) *packsfile.File {
	data, err := regularfile.Read(nil, file, packsfile.MaxSize)
	if err != nil {
		return nil
	}
	config, _ := packsfile.Parse(file, data)
	return config
}

// ConfiguredSigners are the names of the signers of packs.toml at file, as Configured is.
func ConfiguredSigners(file string) []string {
	var names []string
	if config := configured(file); config != nil && config.Trust != nil {
		for _, s := range config.Trust.Signers {
			names = append(names, s.Name)
		}
	}
	return names
}

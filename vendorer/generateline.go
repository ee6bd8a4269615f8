package vendorer

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// command is what go generate runs, in the Go package's directory.
func (i *initiation) command() string {
	words := []string{"go", "tool", "packvendor"}
	if file := i.toolFile(); file != "" && file != project.GoMod {
		words = slices.Insert(words, 2, generateWord("-modfile="+i.fromPackage(file)))
	}
	if toml := i.fromPackage(i.TOMLFile); toml != "packs.toml" {
		words = append(words, "-f", generateWord(toml))
	}
	return strings.Join(words, " ")
}

// fromPackage is a path below the root, relative to the Go package's directory.
func (i *initiation) fromPackage(name string) string {
	below, err := filepath.Rel(filepath.FromSlash(i.Dir), filepath.FromSlash(name))
	if err != nil {
		return name
	}
	return filepath.ToSlash(below)
}

// generateWord is a word of a go:generate line, in which a quoted word is a Go
// string, and $NAME a variable:
// https://pkg.go.dev/cmd/go#hdr-Generate_Go_files_by_processing_source
func generateWord(word string) string {
	word = strings.ReplaceAll(word, "$", "${DOLLAR}")
	if strings.ContainsAny(word, " \"\\") || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(word)
	}
	return word
}

// toolFile returns the file at the module's root that names packvendor as a tool:
// go.mod, or one that the go command is given by -modfile; "" if none does. A go.mod
// that cannot be read is not judged.
func (i *initiation) toolFile() string {
	if has, err := i.namesTool(project.GoMod); has || err != nil {
		return project.GoMod
	}
	for _, name := range i.modFiles() {
		if has, _ := i.namesTool(name); has {
			return name
		}
	}
	return ""
}

// modFiles are the other files at the module's root that -modfile takes, by name.
func (i *initiation) modFiles() []string {
	dir, err := i.Root.Open(".")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == project.GoMod || !strings.HasSuffix(name, ".mod") })
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
	has, _ := namesTool(project.GoMod, data)
	return has
}

// namesTool tells whether a module file at the root names packvendor as a tool.
func (i *initiation) namesTool(name string) (bool, error) {
	data, err := i.ReadFile(name, project.MaxSource)
	if err != nil {
		return false, err
	}
	return namesTool(name, data)
}

func namesTool(name string, data []byte) (bool, error) {
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(mod.Tool, func(tool *modfile.Tool) bool { return tool.Path == ToolPath }), nil
}

package scaffold

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/greenticai/packvendor/vendorer/internal/gotool"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// command returns the command of go generate, for the Go package's directory.
func (s *setup) command() string {
	words := []string{"go", "tool", "packvendor"}
	if file := s.toolFile(); file != "" && file != project.GoMod {
		words = slices.Insert(words, 2, generateWord("-modfile="+s.fromPackage(file)))
	}
	if toml := s.fromPackage(s.TOMLFile); toml != tomlName {
		words = append(words, "-f", generateWord(toml))
	}
	return strings.Join(words, " ")
}

// fromPackage returns a path below the root, relative to the Go package's directory.
func (s *setup) fromPackage(name string) string {
	below, err := filepath.Rel(filepath.FromSlash(s.Dir), filepath.FromSlash(name))
	if err != nil {
		return name
	}
	return filepath.ToSlash(below)
}

// generateWord writes a word for a go:generate line. There a quoted word is a Go
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
// go.mod, or a file for -modfile; "" if none does. An unreadable go.mod counts.
func (s *setup) toolFile() string {
	if has, err := s.namesTool(project.GoMod); has || err != nil {
		return project.GoMod
	}
	for _, name := range s.modFiles() {
		if has, _ := s.namesTool(name); has {
			return name
		}
	}
	return ""
}

// workspaceHasTool tells whether a module of the workspace names packvendor as a tool:
// "go tool" runs the tools of all of them.
func (s *setup) workspaceHasTool() bool {
	file := s.getenv("GOWORK") // https://go.dev/ref/mod#workspaces
	if file == "" || file == "auto" {
		file = project.NearestWork(s.Module)
	}
	return file != "off" && slices.ContainsFunc(project.WorkModules(file), gotool.ModuleHasPackvendor)
}

// modFiles returns the other files at the module's root that -modfile accepts, by name.
func (s *setup) modFiles() []string {
	dir, err := s.Root.Open(".")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == project.GoMod || !strings.HasSuffix(name, ".mod") })
}

// namesTool tells whether a module file at the root names packvendor as a tool.
func (s *setup) namesTool(name string) (bool, error) {
	data, err := s.ReadFile(name, project.MaxSource)
	if err != nil {
		return false, err
	}
	return gotool.HasPackvendor(name, data)
}

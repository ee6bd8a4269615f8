package scaffold

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/greenticai/packvendor/internal/lazyregexp"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// ciTexts holds the files of each CI system in a folder of its own, by their names below
// the top of a repository.
//
//go:embed all:ci
var ciTexts embed.FS

const ciDir = "ci"

// tomlName is the usual name of packs.toml.
const tomlName = "packs.toml"

// CISystems returns the names of the CI systems that Init knows, sorted.
func CISystems() []string {
	var names []string
	entries, _ := ciTexts.ReadDir(ciDir)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A CIError reports a CI system that Init does not know, or that cannot work with this
// packs.toml.
type CIError struct {
	System string
	File   string // the packs.toml, if its name is the reason
}

func (e *CIError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("cannot write jobs for Renovate: it reads files named packs.toml, not %s", e.File)
	}
	return fmt.Sprintf("cannot write jobs for the CI system %+q: there are %s", e.System, strings.Join(CISystems(), ", "))
}

// planCI plans the files of a CI system at the top of the git repository, or of the
// module if it is in none. Present files stay.
func (s *setup) planCI(system string) error {
	if system == "" {
		return nil
	}
	if !slices.Contains(CISystems(), system) {
		return &CIError{System: system}
	}
	// The preset for Renovate has this name, and no repository can add one to a preset.
	if system == "renovate" && path.Base(s.TOMLFile) != tomlName {
		return &CIError{System: system, File: s.Show(s.TOMLFile)}
	}
	top, err := s.From(cmp.Or(git.WorkTree(s.Module), s.Module))
	if err != nil {
		return err
	}
	s.top = top
	words, err := s.ciWords()
	if err != nil {
		return err
	}
	texts, err := fs.Sub(ciTexts, path.Join(ciDir, system))
	if err != nil {
		return err
	}
	return fs.WalkDir(texts, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(texts, name)
		if err != nil {
			return err
		}
		return s.planCIFile(name, string(text), words)
	})
}

// planCIFile plans a file below the top, unless it is there.
func (s *setup) planCIFile(name, text string, words *strings.Replacer) error {
	if err := s.top.CheckDirs(path.Dir(name)); err != nil {
		return err
	}
	if err := s.top.CheckFile(name); err != nil {
		return err
	}
	present, err := s.top.ReadFile(name, project.MaxSource)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.ciFiles = append(s.ciFiles, initialFile{name, []byte(words.Replace(text))})
		return nil
	case err != nil:
		return err
	}
	s.report.Kept = append(s.report.Kept, s.top.Show(name))
	if name == gitlabFile && !bytes.Contains(present, []byte(gitlabJobs)) {
		s.report.NotIncluded = gitlabJobs
	}
	if !runsHere(string(present), text, words) {
		s.report.Elsewhere = append(s.report.Elsewhere, s.top.Show(name))
	}
	return nil
}

// manyProjects finds a flag that names projects by a pattern.
var manyProjects = lazyregexp.MustCompile(`-f[ =]\S*\.\.\.`)

// runsHere reports whether a present file has the lines of the text that lead to the
// module's folder, or a pattern that may.
func runsHere(present, text string, words *strings.Replacer) bool {
	if manyProjects().MatchString(present) {
		return true
	}
	for line := range strings.Lines(text) {
		leads := strings.Contains(line, "@directory@") || strings.Contains(line, "@cd@")
		if leads && !strings.Contains(present, strings.TrimSpace(words.Replace(line))) {
			return false
		}
	}
	return true
}

// gitlabFile is the one file that GitLab reads, and gitlabJobs the one that it must
// include.
const (
	gitlabFile = ".gitlab-ci.yml"
	gitlabJobs = ".gitlab/packvendor.yml"
)

// ciWords returns the replacer of the marks in the texts. YAML and shells know different
// quotes, so the module's folder has a mark for each.
func (s *setup) ciWords() (*strings.Replacer, error) {
	module, err := filepath.Rel(s.top.Module, s.Module)
	if err != nil {
		return nil, err
	}
	module = filepath.ToSlash(module)
	modFile := cmp.Or(s.toolFile(), project.GoMod)
	version, sums := goVersion(module, modFile), path.Join(module, "*.sum")
	env, cd := "", "cd "+shellWord(module)
	switch inWorkspace := s.isInWorkspace(); {
	case inWorkspace && modFile == project.GoMod:
		version, sums = newestGo("go.work"), "**/*.sum"
	case inWorkspace:
		const why = " # the go command takes no -modfile in a workspace"
		env = "env:\n  GOWORK: \"off\"" + why + "\n\n"
		cd += "\n      export GOWORK=off" + why
	}
	for _, name := range []string{s.TOMLFile, modFile, s.GoFile} {
		if !isWritable(path.Join(module, name)) {
			return nil, &project.PlaceError{Path: s.Show(name), Reason: "has a path that no file of a CI system can hold"}
		}
	}
	goFiles := shellWord(path.Join(module, s.GoFile))
	if s.Config.Embed.Stub {
		goFiles += " | *:" + shellWord(path.Join(module, s.StubFile))
	}
	return strings.NewReplacer(
		"@packvendor@", tool(modFile),
		"@file@", fileFlag(s.TOMLFile),
		"@directory@", strconv.Quote(module),
		"@go.version@", version,
		"@go.files@", goFiles,
		"@go.sum@", strconv.Quote(sums),
		"@env@", env,
		"@cd@", cd,
	), nil
}

// tool returns the command line that starts packvendor at the module's root.
func tool(modFile string) string {
	if modFile == project.GoMod {
		return "go tool packvendor"
	}
	return "go tool " + shellWord("-modfile="+modFile) + " packvendor"
}

// goVersion returns the line that chooses the Go of a job for GitHub. The go command obeys
// the go line of the module file with packvendor, too, which rises with each packvendor:
// of other files than go.mod, actions/setup-go reads no go line.
func goVersion(module, modFile string) string {
	if modFile == project.GoMod {
		return "go-version-file: " + strconv.Quote(path.Join(module, project.GoMod))
	}
	return newestGo(modFile)
}

// newestGo returns the line for a file that names a Go which may be newer than go.mod's.
func newestGo(file string) string {
	return "go-version: stable # " + file + " may need a newer Go than go.mod"
}

// isInWorkspace tells whether the repository has a go.work for the module's folder. The go
// command obeys its go line, which is as new as that of any module in it, and needs the
// modules that all of them need. The file may be kept out of git: then a job that reads it
// would fail.
func (s *setup) isInWorkspace() bool {
	work := project.NearestWork(s.Module)
	if work == "" {
		return false
	}
	below, err := filepath.Rel(s.top.Module, work)
	return err == nil && filepath.IsLocal(below)
}

// fileFlag returns the flag that names a packs.toml at the module's root, "" for the
// default.
func fileFlag(toml string) string {
	if toml == tomlName {
		return ""
	}
	return " -f " + shellWord(toml)
}

// isWritable tells whether a CI file can hold a name in one line, and its system takes no
// part of it for an expression.
func isWritable(name string) bool {
	return utf8.ValidString(name) && !strings.Contains(name, "${{") &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// shellWord writes a printable word for bash.
func shellWord(word string) string {
	isPlain := func(r rune) bool {
		return r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("=./_-", r))
	}
	if word != "" && strings.TrimFunc(word, isPlain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Package scaffold sets up a project without a packs.toml.
package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/lazyregexp"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// leafDir is the default folder of the packs for a packs.toml at a module's root: a
// small package of their own, so that a change of packs compiles little.
const leafDir = "internal/packs"

// Options select the settings that Init writes.
type Options struct {
	// Dir is the Go package's directory, relative to packs.toml; "" is that of
	// packs.toml or, at a module's root, internal/packs.
	Dir string
	// Package is the Go package's name; "" derives it.
	Package string
	// CI is one of CISystems, or "": the system to write jobs for.
	CI string
	// Git has .gitattributes name packvendor as the merge driver of packs.lock.
	Git bool
}

// A Report lists the changes of Init.
type Report struct {
	Written []string // new or extended files, as the user would name them
	Kept    []string // files that needed no change
	// NoTool tells that no module file at the root and no module of the workspace names
	// packvendor as a tool, so that "go tool packvendor" does not work yet.
	NoTool bool
	// ModuleDir is the module's root, from the working directory, if that is in another
	// module or in none; else "".
	ModuleDir string
	// NotIncluded is the file of jobs that a present .gitlab-ci.yml does not name, below
	// the repository's top; "" if there is none.
	NotIncluded string
	// Elsewhere are those of Kept whose jobs do not run in the module's folder, so that
	// they may work on other packs.
	Elsewhere []string
	// Merge is the attribute for merges of packs.lock that .gitattributes has already, if it
	// does not name packvendor's driver; "" if there is none, or without Options.Git.
	Merge string
	// DriverDir is the directory in which packvendor runs, slash-separated from the top of the
	// work tree, where git runs merge drivers; "" if it may as well run there.
	DriverDir string
	// NoRepository tells that the module is in no git repository.
	NoRepository bool
}

// Init sets up the project p; the user names its packs.toml file, and getenv looks up
// the environment. It never replaces a present file or line. An error before the files
// get their names leaves the project untouched. Errors: *Error, *project.PlaceError,
// *project.PackageNameError, those of packs.toml and of the disk.
func Init(p *project.Project, file string, getenv func(string) string, want Options) (*Report, error) {
	s := &setup{Project: p, file: file, getenv: getenv}
	defer s.close()
	if err := s.plan(want); err != nil {
		return nil, err
	}
	if err := s.carryOut(); err != nil {
		return nil, err
	}
	s.report.NoTool, s.report.ModuleDir = s.toolFile() == "" && !s.workspaceHasTool(), s.ModuleDir()
	if want.Git {
		s.report.DriverDir, s.report.NoRepository = s.driverDir(), git.WorkTree(s.Module) == ""
	}
	return &s.report, nil
}

// A setup is one call of Init.
type setup struct {
	*project.Project
	file    string // packs.toml, as the user names it
	getenv  func(string) string
	newTOML []byte // nil if there is a packs.toml
	files   []initialFile
	top     *project.Project // the project from the top of its repository; nil without CI
	ciFiles []initialFile    // below the top
	report  Report
}

// An initialFile is a file that Init writes.
type initialFile struct {
	name string // below the root
	data []byte
}

func (s *setup) close() {
	if s.top != nil {
		s.top.Root.Close()
	}
}

// plan chooses the files to write, and checks that they can be written.
func (s *setup) plan(want Options) error {
	for _, plan := range []func() error{
		func() error { return s.configure(want) }, s.planTOML, s.planGo,
		func() error { return s.planAttributes(want.Git) },
		func() error { return s.planCI(want.CI) },
	} {
		if err := plan(); err != nil {
			return err
		}
	}
	return nil
}

// carryOut writes all files under temporary names, and renames them after all have
// reached the disk.
func (s *setup) carryOut() error {
	changes := []*project.Change{s.NewChange()}
	defer changes[0].Discard()
	if err := stage(changes[0], s.files); err != nil {
		return err
	}
	if s.top != nil {
		changes = append(changes, s.top.NewChange())
		defer changes[1].Discard()
		if err := stage(changes[1], s.ciFiles); err != nil {
			return err
		}
	}
	for _, c := range changes {
		err := c.Create()
		s.report.Written = append(s.report.Written, c.Written...)
		if err != nil {
			return err
		}
	}
	return nil
}

func stage(c *project.Change, files []initialFile) error {
	for _, file := range files {
		if err := c.StageFile(file.name, file.data); err != nil {
			return err
		}
	}
	return nil
}

// write plans a file.
func (s *setup) write(name string, data []byte) {
	s.files = append(s.files, initialFile{name, data})
}

// keep notes a file that stays as it is.
func (s *setup) keep(name string) { s.report.Kept = append(s.report.Kept, s.Show(name)) }

// configure reads packs.toml, or makes a new one.
func (s *setup) configure(want Options) error {
	err := s.Read(s.file, true)
	var none *project.NoProjectError
	switch {
	case errors.As(err, &none):
		return s.configureNew(want)
	case err != nil:
		return err
	}
	return s.compare(want)
}

// compare checks that packs.toml agrees with the options.
func (s *setup) compare(want Options) error {
	got := s.Config.Embed
	if want.Dir != "" && path.Clean(want.Dir) != got.Dir {
		return &Error{File: s.file, Key: "dir", Got: got.Dir, Want: want.Dir}
	}
	if want.Package == "" {
		return nil
	}
	files, err := s.goFiles()
	if err != nil {
		return err
	}
	if name, err := s.PackageName(s.getenv, files); err != nil || name != want.Package {
		return &Error{File: s.file, Key: "package", Got: got.Package, Want: want.Package}
	}
	return nil
}

func (s *setup) configureNew(want Options) error {
	switch {
	case want.Dir != "":
		want.Dir = path.Clean(want.Dir)
	case s.Base == ".":
		want.Dir = leafDir
	}
	s.newTOML = packsfile.New(packsfile.Embed{Dir: want.Dir, Package: want.Package})
	config, err := packsfile.Parse(s.file, s.newTOML)
	var errs packsfile.Errors
	if errors.As(err, &errs) {
		return s.refused(errs)
	}
	if err != nil {
		return err
	}
	if err := s.Project.Configure(config); err != nil {
		return err
	}
	return s.checkFree()
}

// checkFree checks that no packs.toml above uses the same Go package: the two would
// overwrite each other's files.
func (s *setup) checkFree() error {
	above := s.Above()
	if above == "" {
		return nil
	}
	data, err := s.ReadFile(above, packsfile.MaxSize)
	if err != nil {
		return err
	}
	other, _ := packsfile.Parse(s.Show(above), data)
	if other != nil && path.Join(path.Dir(above), other.Embed.Dir) == s.Dir {
		return &project.PlaceError{Path: s.Show(s.Dir), Reason: "is where " + s.Show(above) + " puts its packs"}
	}
	return nil
}

// refused returns the errors of a new packs.toml without its line numbers, since there
// is no such file.
func (s *setup) refused(errs packsfile.Errors) error {
	var refused []error
	for _, e := range errs {
		refused = append(refused, &Error{File: s.file, Key: strings.TrimPrefix(e.Key, "embed."), Msg: e.Msg})
	}
	return errors.Join(refused...)
}

// An Error reports a setting that packs.toml cannot hold, or that the present
// packs.toml contradicts.
type Error struct {
	File, Key string
	Msg       string // the reason
	Got, Want string // the present value, and the one in Options
}

func (e *Error) Error() string {
	switch {
	case e.Msg != "":
		return fmt.Sprintf("cannot write %s: embed.%s: %s", e.File, e.Key, e.Msg)
	case e.Got == "":
		return fmt.Sprintf("%s is there already, and its embed.%s is not set to %+q", e.File, e.Key, e.Want)
	}
	return fmt.Sprintf("%s is there already, and its embed.%s is %+q, not %+q", e.File, e.Key, e.Got, e.Want)
}

func (s *setup) planTOML() error {
	if s.newTOML == nil {
		s.keep(s.TOMLFile)
		return nil
	}
	s.write(s.TOMLFile, s.newTOML)
	return nil
}

// goFiles skips links that lead nowhere or out of the module: Init ignores their
// targets.
func (s *setup) goFiles() ([]project.GoFile, error) {
	return s.GoFilesNamed(func(name string) bool {
		_, err := s.SourceAt(path.Join(s.Dir, name))
		return project.IsGo(name) && err == nil
	})
}

// generates finds a go:generate line for packvendor.
var generates = lazyregexp.MustCompile(`(?m)^//go:generate .*\bpackvendor\b`)

// goFileNames are the possible names of a new Go file with a go:generate line.
var goFileNames = []string{"generate.go", "packs_generate.go", "packvendor_generate.go"}

// planGo plans a Go file with a go:generate line, if the package has none.
func (s *setup) planGo() error {
	files, err := s.goFiles()
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(file project.GoFile) bool { return file.Ignored })
	for _, file := range files {
		if generates().Match(file.Source) {
			s.keep(file.Name)
			return nil
		}
	}
	name, err := s.PackageName(s.getenv, files)
	var unnamed *project.PackageNameError
	if errors.As(err, &unnamed) {
		return &project.PackageNameError{Dir: unnamed.Dir, Names: unnamed.Names, New: s.newTOML != nil}
	}
	if err != nil {
		return err
	}
	for _, base := range goFileNames {
		file := path.Join(s.Dir, base)
		if _, err := s.Root.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			s.write(file, s.generateFile(name, len(files) == 0))
			return nil
		}
	}
	return &project.PlaceError{Path: s.Show(path.Join(s.Dir, goFileNames[0])), Reason: "is there already, and has no line //go:generate " + s.command()}
}

// generateFile returns a Go file with a go:generate line.
func (s *setup) generateFile(pkg string, documented bool) []byte {
	var b bytes.Buffer
	if documented {
		fmt.Fprintf(&b, "// Package %s holds the packs that are compiled into this program.\n", pkg)
	}
	fmt.Fprintf(&b, "package %s\n\n//go:generate %s\n", pkg, s.command())
	return b.Bytes()
}

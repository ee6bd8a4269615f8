package vendorer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// ToolPath is packvendor's own package, as go.mod's tool lines name it.
const ToolPath = "github.com/greenticai/packvendor/cmd/packvendor"

// leafDir is where the packs of a module go whose packs.toml stands at its root:
// a small package of their own, so that little is compiled when they change.
const leafDir = "internal/packs"

// InitOptions say what Init sets up.
type InitOptions struct {
	// Dir is the Go package's directory, relative to packs.toml; "" is that of
	// packs.toml or, at a module's root, internal/packs.
	Dir string
	// Package is the Go package's name; "" derives it.
	Package string
}

// An InitReport says what Init did.
type InitReport struct {
	Written []string // files that were made or got lines, as the user would name them
	Kept    []string // files that were there, and say already what is needed
	// NoTool tells that neither go.mod nor another module file beside it names
	// packvendor as a tool, so that "go tool packvendor" does not work yet.
	NoTool bool
}

// Init sets up a project: packs.toml, a Go file that has go generate run
// packvendor, and lines in the module's .gitattributes. What is there is never
// replaced; where all is there, nothing is done. On any error before the files get
// their names, nothing is.
func Init(ctx context.Context, o Options, io InitOptions) (*InitReport, error) {
	tell := &teller{tell: o.Events}
	lock, err := o.lock(ctx, tell)
	if err != nil {
		return nil, err
	}
	p, err := project.At(o.file(), lock)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	i := &initiation{Project: p, o: o}
	if err := i.plan(io); err != nil {
		return nil, err
	}
	if err := i.carryOut(); err != nil {
		return nil, err
	}
	i.report.NoTool = i.toolFile() == ""
	return &i.report, nil
}

// An initiation is one Init.
type initiation struct {
	*project.Project
	o       Options
	newTOML []byte // nil if there is a packs.toml
	files   []initialFile
	report  InitReport
}

// An initialFile is one that Init will write.
type initialFile struct {
	name string // below the root
	data []byte
}

// plan finds out which files there will be, and whether they can be.
func (i *initiation) plan(want InitOptions) error {
	for _, plan := range []func() error{
		func() error { return i.configure(want) }, i.planTOML, i.planGo, i.planAttributes,
	} {
		if err := plan(); err != nil {
			return err
		}
	}
	return nil
}

// carryOut writes all files under temporary names, and gives them theirs once all
// have reached the disk.
func (i *initiation) carryOut() error {
	c := i.NewChange()
	defer c.Discard()
	for _, file := range i.files {
		if err := c.StageFile(file.name, file.data); err != nil {
			return err
		}
	}
	err := c.Create()
	i.report.Written = c.Written
	return err
}

// write plans a file.
func (i *initiation) write(name string, data []byte) {
	i.files = append(i.files, initialFile{name, data})
}

// keep notes a file that stays as it is.
func (i *initiation) keep(name string) { i.report.Kept = append(i.report.Kept, i.Show(name)) }

// configure reads packs.toml, or makes one that says what is wanted.
func (i *initiation) configure(want InitOptions) error {
	err := i.Read(i.o.file(), true)
	var none *NoProjectError
	switch {
	case errors.As(err, &none):
		return i.configureNew(want)
	case err != nil:
		return err
	}
	return i.compare(want)
}

// compare sees that packs.toml says what is wanted, be it by saying nothing.
func (i *initiation) compare(want InitOptions) error {
	got := i.Config.Embed
	if want.Dir != "" && path.Clean(want.Dir) != got.Dir {
		return &InitError{File: i.o.file(), Key: "dir", Got: got.Dir, Want: want.Dir}
	}
	if want.Package == "" {
		return nil
	}
	files, err := i.goFiles()
	if err != nil {
		return err
	}
	if name, err := i.PackageName(i.o.getenv, files); err != nil || name != want.Package {
		return &InitError{File: i.o.file(), Key: "package", Got: got.Package, Want: want.Package}
	}
	return nil
}

func (i *initiation) configureNew(want InitOptions) error {
	switch {
	case want.Dir != "":
		want.Dir = path.Clean(want.Dir)
	case i.Base == ".":
		want.Dir = leafDir
	}
	i.newTOML = packsfile.New(packsfile.Embed{Dir: want.Dir, Package: want.Package})
	config, err := packsfile.Parse(i.o.file(), i.newTOML)
	var errs packsfile.Errors
	if errors.As(err, &errs) {
		return i.refused(errs)
	}
	if err != nil {
		return err
	}
	if err := i.Project.Configure(config); err != nil {
		return err
	}
	return i.checkFree()
}

// checkFree sees that the Go package is not that of a packs.toml above: the two
// would write each other's files.
func (i *initiation) checkFree() error {
	above := i.Above()
	if above == "" {
		return nil
	}
	data, err := i.ReadFile(above, packsfile.MaxSize)
	if err != nil {
		return err
	}
	other, _ := packsfile.Parse(i.Show(above), data)
	if other != nil && path.Join(path.Dir(above), other.Embed.Dir) == i.Dir {
		return &PlaceError{Path: i.Show(i.Dir), Reason: "is where " + i.Show(above) + " puts its packs"}
	}
	return nil
}

// refused are the errors of a packs.toml that is not there, so that none of its
// lines can be named.
func (i *initiation) refused(errs packsfile.Errors) error {
	var refused []error
	for _, e := range errs {
		refused = append(refused, &InitError{File: i.o.file(), Key: strings.TrimPrefix(e.Key, "embed."), Msg: e.Msg})
	}
	return errors.Join(refused...)
}

// An InitError reports that packs.toml cannot say what Init was asked to write, or
// says something else already.
type InitError struct {
	File, Key string
	Msg       string // why it cannot
	Got, Want string // what it says, and what was asked for
}

func (e *InitError) Error() string {
	switch {
	case e.Msg != "":
		return fmt.Sprintf("cannot write %s: embed.%s: %s", e.File, e.Key, e.Msg)
	case e.Got == "":
		return fmt.Sprintf("%s is there already, and its embed.%s is not set to %+q", e.File, e.Key, e.Want)
	}
	return fmt.Sprintf("%s is there already, and its embed.%s is %+q, not %+q", e.File, e.Key, e.Got, e.Want)
}

func (i *initiation) planTOML() error {
	if i.newTOML == nil {
		i.keep(i.TOMLFile)
		return nil
	}
	i.write(i.TOMLFile, i.newTOML)
	return nil
}

// goFiles passes over links that lead nowhere or out of the module: what they stand for
// is nothing that Init goes by.
func (i *initiation) goFiles() ([]project.GoFile, error) {
	return i.GoFilesNamed(func(name string) bool {
		_, err := i.SourceAt(path.Join(i.Dir, name))
		return project.IsGo(name) && err == nil
	})
}

// generates finds a go:generate line that runs packvendor.
var generates = regexp.MustCompile(`(?m)^//go:generate .*\bpackvendor\b`)

// goFileNames are those that a Go file with a go:generate line may get.
var goFileNames = []string{"generate.go", "packs_generate.go", "packvendor_generate.go"}

// planGo makes a Go file with a go:generate line, if the package has none.
func (i *initiation) planGo() error {
	files, err := i.goFiles()
	if err != nil {
		return err
	}
	files = slices.DeleteFunc(files, func(file project.GoFile) bool { return file.Ignored })
	for _, file := range files {
		if generates.Match(file.Source) {
			i.keep(file.Name)
			return nil
		}
	}
	name, err := i.PackageName(i.o.getenv, files)
	var unnamed *PackageNameError
	if errors.As(err, &unnamed) {
		return &PackageNameError{Dir: unnamed.Dir, Names: unnamed.Names, New: i.newTOML != nil}
	}
	if err != nil {
		return err
	}
	for _, base := range goFileNames {
		file := path.Join(i.Dir, base)
		if _, err := i.Root.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			i.write(file, i.generateFile(name, len(files) == 0))
			return nil
		}
	}
	return &PlaceError{Path: i.Show(path.Join(i.Dir, goFileNames[0])), Reason: "is there already, and has no line //go:generate " + i.command()}
}

// generateFile is a Go file with a go:generate line.
func (i *initiation) generateFile(pkg string, documented bool) []byte {
	var b bytes.Buffer
	if documented {
		fmt.Fprintf(&b, "// Package %s holds the packs that are compiled into this program.\n", pkg)
	}
	fmt.Fprintf(&b, "package %s\n\n//go:generate %s\n", pkg, i.command())
	return b.Bytes()
}

package vendorer

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/packsfile"
)

// toolPath is packvendor's own package, as go.mod's tool lines name it.
const toolPath = "github.com/greenticai/packvendor/cmd/packvendor"

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
	// NoTool tells that go.mod does not name packvendor as a tool, so that
	// "go tool packvendor" does not work yet.
	NoTool bool
}

// Init sets up a project: packs.toml, a Go file that has go generate run
// packvendor, and lines in the module's .gitattributes. What is there is never
// replaced; where all is there, nothing is done.
func Init(o Options, io InitOptions) (*InitReport, error) {
	lock := &projectLock{}
	p := &project{lockedBy: lock}
	if err := p.locate(o.file()); err != nil {
		return nil, err
	}
	defer p.root.Close()
	i := &initiation{project: p, o: o}
	if err := i.configure(io); err != nil {
		return nil, err
	}
	for _, write := range []func() error{i.writeTOML, i.writeGo, i.writeAttributes} {
		if err := write(); err != nil {
			return nil, err
		}
	}
	i.report.NoTool = i.lacksTool()
	return &i.report, nil
}

// An initiation is one Init.
type initiation struct {
	*project
	o       Options
	newTOML []byte // nil if there is a packs.toml
	report  InitReport
}

// configure reads packs.toml, or makes one that says what is wanted.
func (i *initiation) configure(want InitOptions) error {
	err := i.read(i.o.file(), true)
	var none *NoProjectError
	switch {
	case errors.As(err, &none):
		return i.configureNew(want)
	case err != nil:
		return err
	}
	got := i.config.Embed
	if want.Dir != "" && path.Clean(want.Dir) != got.Dir {
		return &InitError{File: i.o.file(), Key: "dir", Got: got.Dir, Want: want.Dir}
	}
	if want.Package != "" && want.Package != got.Package {
		return &InitError{File: i.o.file(), Key: "package", Got: got.Package, Want: want.Package}
	}
	return nil
}

func (i *initiation) configureNew(want InitOptions) error {
	if want.Dir == "" && i.base == "." {
		want.Dir = leafDir
	}
	i.newTOML = packsfile.New(packsfile.Embed{Dir: want.Dir, Package: want.Package})
	config, err := packsfile.Parse(i.o.file(), i.newTOML)
	if err != nil {
		return err
	}
	return i.project.configure(config)
}

// An InitError reports that packs.toml says something else already than Init was
// asked to write.
type InitError struct{ File, Key, Got, Want string }

func (e *InitError) Error() string {
	got := fmt.Sprintf("%+q", e.Got)
	if e.Got == "" {
		got = "not set"
	}
	return fmt.Sprintf("%s is there already, and its embed.%s is %s, not %+q", e.File, e.Key, got, e.Want)
}

func (i *initiation) writeTOML() error {
	if i.newTOML == nil {
		i.report.Kept = append(i.report.Kept, i.show(i.tomlFile))
		return nil
	}
	return i.write(i.tomlFile, i.newTOML)
}

// write makes a file, and the directories above it.
func (i *initiation) write(name string, data []byte) error {
	if err := i.root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return i.located(path.Dir(name), err)
	}
	if err := atomicfile.WriteFile(i.root, name, data); err != nil {
		return err
	}
	i.report.Written = append(i.report.Written, i.show(name))
	return nil
}

// generates finds a go:generate line that runs packvendor.
var generates = regexp.MustCompile(`(?m)^//go:generate .*\bpackvendor\b`)

// goFileNames are those that a Go file with a go:generate line may get.
var goFileNames = []string{"generate.go", "packs_generate.go", "packvendor_generate.go"}

// writeGo makes a Go file with a go:generate line, if the package has none.
func (i *initiation) writeGo() error {
	files, err := i.goFiles()
	if err != nil {
		return err
	}
	for _, file := range files {
		if generates.Match(file.source) {
			i.report.Kept = append(i.report.Kept, i.show(file.name))
			return nil
		}
	}
	name, err := i.packageName(i.o, files)
	if err != nil {
		return err
	}
	for _, base := range goFileNames {
		file := path.Join(i.dir, base)
		if _, err := i.root.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			return i.write(file, i.generateFile(name, len(files) == 0))
		}
	}
	return &PlaceError{Path: i.show(path.Join(i.dir, goFileNames[0])), Reason: "is there already, and has no line //go:generate " + i.command()}
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

// command is what go generate runs, in the Go package's directory.
func (i *initiation) command() string {
	toml, err := filepath.Rel(filepath.FromSlash(i.dir), filepath.FromSlash(i.tomlFile))
	if err != nil || toml == "packs.toml" {
		return "go tool packvendor"
	}
	word := filepath.ToSlash(toml)
	if strings.ContainsAny(word, " \t\"\\$") {
		word = fmt.Sprintf("%q", word) // go generate reads Go strings
	}
	return "go tool packvendor -f " + word
}

// attributes are the lines for .gitattributes.
func (i *initiation) attributes() []string {
	return []string{
		lockName + " linguist-generated text eol=lf",
		path.Base(i.goFile) + " linguist-generated text eol=lf",
		"*.gtpack binary",
	}
}

// writeAttributes adds to the .gitattributes of the module what it does not say.
// A pattern that it has already keeps its attributes.
func (i *initiation) writeAttributes() error {
	const name = ".gitattributes"
	if err := i.checkFile(name); err != nil {
		return err
	}
	data, err := i.readFile(name, maxSource)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	eol := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		eol = "\r\n"
	}
	var patterns []string
	for line := range strings.Lines(string(data)) {
		patterns = append(patterns, firstWord(line))
	}
	added := slices.Clone(data)
	if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		added = append(added, eol...)
	}
	missing := false
	for _, line := range i.attributes() {
		if !slices.Contains(patterns, firstWord(line)) {
			added, missing = append(added, line+eol...), true
		}
	}
	if !missing {
		i.report.Kept = append(i.report.Kept, i.show(name))
		return nil
	}
	return i.write(name, added)
}

func firstWord(line string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return word
}

// lacksTool tells whether go.mod does not name packvendor as a tool.
func (i *initiation) lacksTool() bool {
	data, err := i.readFile("go.mod", maxSource)
	if err != nil {
		return false
	}
	mod, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(mod.Tool, func(tool *modfile.Tool) bool { return tool.Path == toolPath })
}

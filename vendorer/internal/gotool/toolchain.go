// Package gotool asks the Go toolchain about a package.
package gotool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Toolchain is the Go toolchain with the settings of a package's directory.
type Toolchain struct {
	flags  []string // its defaults besides the command line's
	dir    string
	module string
}

// New returns the toolchain for dir, slash-separated below the module's root.
func New(module, dir string) *Toolchain {
	return &Toolchain{dir: filepath.Join(module, filepath.FromSlash(dir)), module: module, flags: goFlags()}
}

// EmbeddedFiles returns the paths of the package's embedded files, below its directory,
// since JSON would change a directory name that is no UTF-8. It runs go list itself:
// golang.org/x/tools/go/packages first asks for the version, which takes as long as
// reading a large module, and disables modules, which makes a user's -modfile an error.
func (t *Toolchain) EmbeddedFiles(ctx context.Context) ([]string, error) {
	args := []string{"list", "-e", "-find", "-json=EmbedFiles,Error", "-buildvcs=false", "-pgo=off"}
	out, err := goOutput(ctx, t.dir, append(args, t.modFlag()...)...)
	if err != nil {
		return nil, err
	}
	var pkg struct {
		EmbedFiles []string
		Error      *struct{ Err string }
	}
	if err := json.Unmarshal(out, &pkg); err != nil {
		return nil, err
	}
	if pkg.Error != nil {
		return nil, errors.New(strings.TrimSpace(pkg.Error.Err))
	}
	for i, file := range pkg.EmbedFiles {
		pkg.EmbedFiles[i] = filepath.Join(t.dir, file)
	}
	return pkg.EmbedFiles, nil
}

// modFlag keeps go.mod unchanged. Without a user's -mod the go command does so itself.
func (t *Toolchain) modFlag() []string {
	if mod := t.Flag("mod"); mod == "" || mod == "vendor" {
		return nil
	}
	return []string{"-mod=readonly"}
}

// Flag returns the last value of a flag that the user has set for all go commands, ""
// if there is none.
func (t *Toolchain) Flag(name string) string { return flagValue(t.flags, name) }

// Unusable returns the reason if the toolchain cannot work for this module: it does not
// start, or go.mod needs a newer one, which it may not fetch. Else it returns nil.
func (t *Toolchain) Unusable(ctx context.Context) error {
	answer, err := t.Version(ctx)
	if err != nil {
		return err
	}
	return t.TooOld(answer)
}

// Version returns the toolchain's own words: "go version go1.25.0 linux/amd64".
func (t *Toolchain) Version(ctx context.Context) (string, error) {
	answer, err := goOutput(ctx, t.dir, "version")
	return strings.TrimSpace(string(answer)), err
}

// TooOld returns the reason if a toolchain with that version cannot work for go.mod.
func (t *Toolchain) TooOld(answer string) error {
	words, needed := strings.Fields(answer), t.Needed()
	if needed == "" || len(words) < 3 || version.Compare(words[2], "go"+needed) >= 0 {
		return nil
	}
	return fmt.Errorf("go.mod is for Go %s, and this is %s", needed, words[2])
}

// Needed returns the version in the go line of go.mod, "" if it is not known.
func (t *Toolchain) Needed() string {
	data, err := regularfile.Read(nil, filepath.Join(t.module, project.GoMod), project.MaxSource)
	if err != nil {
		return ""
	}
	mod, err := modfile.ParseLax(project.GoMod, data, nil)
	if err != nil || mod.Go == nil {
		return ""
	}
	return mod.Go.Version
}

// Packvendor is packvendor's own package, as in go.mod's tool lines.
const Packvendor = "github.com/greenticai/packvendor/cmd/packvendor"

// HasPackvendor tells whether the module file name, with the bytes data, names
// packvendor as a tool.
func HasPackvendor(name string, data []byte) (bool, error) {
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(mod.Tool, func(t *modfile.Tool) bool { return t.Path == Packvendor }), nil
}

// ModuleHasPackvendor tells whether the go.mod in a directory names packvendor as a tool.
func ModuleHasPackvendor(dir string) bool {
	data, err := regularfile.Read(nil, filepath.Join(dir, project.GoMod), project.MaxSource)
	if err != nil {
		return false
	}
	has, _ := HasPackvendor(project.GoMod, data)
	return has
}

// goFlags returns the go command's default flags: those of $GOFLAGS, else those stored
// by "go env -w". Running "go env" would take a good part of a verify's time.
// https://pkg.go.dev/cmd/go#hdr-Environment_variables
func goFlags() []string {
	if flags := os.Getenv("GOFLAGS"); flags != "" {
		return splitFlags(flags)
	}
	var flags []string
	stored, _ := regularfile.Read(nil, goEnvFile(), project.MaxSource) // the file is optional
	for line := range strings.Lines(string(stored)) {
		if value, ok := strings.CutPrefix(line, "GOFLAGS="); ok {
			flags = splitFlags(value)
		}
	}
	return flags
}

// splitFlags splits flags as the go command does: at white space, but a word with a
// leading quote ends at the next such quote. There are no escapes.
func splitFlags(flags string) []string {
	var words []string
	for {
		flags = strings.TrimLeft(flags, " \t\n\r")
		if flags == "" {
			return words
		}
		var word string
		if quote := flags[:1]; quote == `"` || quote == "'" {
			word, flags, _ = strings.Cut(flags[1:], quote)
		} else if end := strings.IndexAny(flags, " \t\n\r"); end >= 0 {
			word, flags = flags[:end], flags[end:]
		} else {
			word, flags = flags, ""
		}
		words = append(words, word)
	}
}

// goEnvFile is the file that "go env -w" writes.
func goEnvFile() string {
	if name := os.Getenv("GOENV"); name != "" {
		return name
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(config, "go", "env")
}

// flagValue returns the last value of a flag, "" if there is none.
func flagValue(flags []string, name string) string {
	value := ""
	for _, flag := range flags {
		flag = strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-")
		if v, ok := strings.CutPrefix(flag, name+"="); ok {
			value = v
		}
	}
	return value
}

// goOutput returns the output of a go command that downloads nothing. The error of a
// failed command is its stderr.
func goOutput(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(cmd.Environ(), "GOPROXY=off") // with PWD: dir may lead through links
	out, err := cmd.Output()
	if said := strings.TrimSpace(stderr.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	return out, err
}

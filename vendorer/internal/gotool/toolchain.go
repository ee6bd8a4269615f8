// Package gotool asks the Go toolchain, as it is set up for a package.
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

// A Toolchain is the Go toolchain, as it is set up in the package's directory.
type Toolchain struct {
	flags  []string // that it adds to those of the command line
	dir    string
	module string
}

// New returns the one for the directory dir, slash-separated below the root of
// a module.
func New(module, dir string) *Toolchain {
	return &Toolchain{dir: filepath.Join(module, filepath.FromSlash(dir)), module: module, flags: goFlags()}
}

// EmbeddedFiles returns the paths of what the package embeds, below its directory: in
// JSON, a directory whose name is no UTF-8 would have another. It is what package
// packages asks in the end; that asks for the version first, which takes as
// long as all that verify reads of a large module, and with modules off, where a
// -modfile of the user's is an error.
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

// modFlag keeps go.mod as it is. Without a -mod of the user's the go command does that
// itself, by vendor folder or not.
func (t *Toolchain) modFlag() []string {
	if mod := t.Flag("mod"); mod == "" || mod == "vendor" {
		return nil
	}
	return []string{"-mod=readonly"}
}

// Flag returns the value of the last such flag that the user has set for all go
// commands, "" if there is none.
func (t *Toolchain) Flag(name string) string { return flagValue(t.flags, name) }

// Unusable says why the toolchain cannot do anything for this module, nil if it can:
// it does not start, or go.mod wants a newer one that it may not fetch.
func (t *Toolchain) Unusable(ctx context.Context) error {
	answer, err := goOutput(ctx, t.dir, "version")
	if err != nil {
		return err
	}
	data, err := regularfile.Read(nil, filepath.Join(t.module, project.GoMod), project.MaxSource)
	if err != nil {
		return nil
	}
	mod, err := modfile.ParseLax(project.GoMod, data, nil)
	words := strings.Fields(string(answer)) // "go version go1.25.0 linux/amd64"
	if err != nil || mod.Go == nil || len(words) < 3 || version.Compare(words[2], "go"+mod.Go.Version) >= 0 {
		return nil
	}
	return fmt.Errorf("go.mod is for Go %s, and this is %s", mod.Go.Version, words[2])
}

// Packvendor is packvendor's own package, as go.mod's tool lines name it.
const Packvendor = "github.com/greenticai/packvendor/cmd/packvendor"

// HasPackvendor tells whether a module file, whose name and bytes are given, names
// packvendor as a tool.
func HasPackvendor(name string, data []byte) (bool, error) {
	mod, err := modfile.Parse(name, data, nil)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(mod.Tool, func(t *modfile.Tool) bool { return t.Path == Packvendor }), nil
}

// goFlags returns the flags that the go command adds to its own: those of $GOFLAGS,
// else those that "go env -w" stored. To ask "go env" takes a good part of what a
// verify takes. https://pkg.go.dev/cmd/go#hdr-Environment_variables
func goFlags() []string {
	if flags := os.Getenv("GOFLAGS"); flags != "" {
		return splitFlags(flags)
	}
	var flags []string
	stored, _ := regularfile.Read(nil, goEnvFile(), project.MaxSource) // there need not be one
	for line := range strings.Lines(string(stored)) {
		if value, ok := strings.CutPrefix(line, "GOFLAGS="); ok {
			flags = splitFlags(value)
		}
	}
	return flags
}

// splitFlags splits flags as the go command does: at white space, but for a word that
// begins with a quote, which goes on to the next of that kind. Nothing is escaped.
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

// flagValue returns the value of the last such flag, "" if there is none.
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

// goOutput returns what a go command prints that downloads nothing. Where it fails the
// error is what it says of that.
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

// Package gotool asks the Go toolchain, as it is set up for a package.
package gotool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"path/filepath"
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

package vendorer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/vendorer/internal/project"
	"golang.org/x/mod/modfile"
)

// An EmbedError reports that the Go toolchain does not embed exactly what is
// locked.
type EmbedError struct {
	Path   string
	Reason string
}

func (e *EmbedError) Error() string { return e.Path + " " + e.Reason }

// A toolchain is the Go toolchain, as it is set up in the package's directory.
type toolchain struct {
	dir    string
	module string
	flags  []string // that it adds to those of the command line
}

func newToolchain(module, dir string) *toolchain {
	return &toolchain{dir: filepath.Join(module, filepath.FromSlash(dir)), module: module, flags: goFlags()}
}

// overlay is a finding if files of the build are not those on disk.
func (t *toolchain) overlay() error {
	file := flagValue(t.flags, "overlay")
	if file == "" {
		return nil
	}
	return &TouchError{Path: "GOFLAGS", Reason: "has -overlay=" + file + ": what is compiled is not what is here"}
}

// embedFindings asks whether exactly the locked packs are embedded: other files of
// the package may embed what they like, but not from the packs' folder. The error
// says why the toolchain could not be asked.
func (r *run) embedFindings(ctx context.Context, t *toolchain, plan Plan) ([]error, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, err
	}
	embedded, err := t.embeddedFiles(ctx)
	if err != nil {
		if unusable := t.unusable(ctx); unusable != nil {
			return nil, unusable
		}
		return []error{&EmbedError{Path: r.p.Show(r.p.Dir), Reason: "cannot be loaded by the Go toolchain: " + err.Error()}}, nil
	}
	want := map[string]string{} // absolute path → as shown
	for _, step := range plan.Steps {
		name := r.p.PackFile(step.Pack.Name)
		want[filepath.Join(r.p.Module, filepath.FromSlash(name))] = r.p.Show(name)
	}
	data := filepath.Join(r.p.Module, filepath.FromSlash(r.p.DataDir)) + string(filepath.Separator)
	var findings []error
	for _, file := range embedded {
		if _, ok := want[file]; !ok && strings.HasPrefix(file, data) {
			below := strings.TrimPrefix(file, data)
			findings = append(findings, &EmbedError{Path: filepath.Join(r.p.Show(r.p.DataDir), below), Reason: "is embedded, but not locked"})
		}
		delete(want, file)
	}
	for _, shown := range want {
		findings = append(findings, &EmbedError{Path: shown, Reason: "is locked, but the Go toolchain does not embed it"})
	}
	slices.SortFunc(findings, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return findings, nil
}

// embeddedFiles returns the paths of what the package embeds, below its directory: in
// JSON, a directory whose name is no UTF-8 would have another. It is what package
// packages asks in the end; that asks for the version first, which takes as
// long as all that verify reads of a large module, and with modules off, where a
// -modfile of the user's is an error.
func (t *toolchain) embeddedFiles(ctx context.Context) ([]string, error) {
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
func (t *toolchain) modFlag() []string {
	if mod := flagValue(t.flags, "mod"); mod == "" || mod == "vendor" {
		return nil
	}
	return []string{"-mod=readonly"}
}

// unusable says why the toolchain cannot do anything for this module, nil if it can:
// it does not start, or go.mod wants a newer one that it may not fetch.
func (t *toolchain) unusable(ctx context.Context) error {
	answer, err := goOutput(ctx, t.dir, "version")
	if err != nil {
		return err
	}
	data, err := project.ReadPlain(filepath.Join(t.module, project.GoMod))
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

package vendorer

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// An EmbedError reports that the Go toolchain does not embed exactly what is
// locked.
type EmbedError struct {
	Path   string
	Reason string
}

func (e *EmbedError) Error() string { return e.Path + " " + e.Reason }

// embedFindings asks the Go toolchain whether it embeds exactly the locked
// packs: other files of the package may embed what they like, but not from
// the packs' folder. The error says why the toolchain could not be asked.
func (r *run) embedFindings(ctx context.Context, plan Plan) ([]error, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, err
	}
	dir := filepath.Join(r.p.module, filepath.FromSlash(r.p.dir))
	embedded, err := embeddedFiles(ctx, dir)
	if err != nil {
		return []error{&EmbedError{Path: r.p.show(r.p.dir), Reason: "cannot be loaded by the Go toolchain: " + err.Error()}}, nil
	}
	want := map[string]string{} // absolute path → as shown
	for _, step := range plan.Steps {
		name := r.p.packFile(step.Pack.Name)
		want[filepath.Join(r.p.module, filepath.FromSlash(name))] = r.p.show(name)
	}
	data := filepath.Join(r.p.module, filepath.FromSlash(r.p.dataDir)) + string(filepath.Separator)
	var findings []error
	for _, file := range embedded {
		if _, ok := want[file]; !ok && strings.HasPrefix(file, data) {
			below := strings.TrimPrefix(file, data)
			findings = append(findings, &EmbedError{Path: filepath.Join(r.p.show(r.p.dataDir), below), Reason: "is embedded, but not locked"})
		}
		delete(want, file)
	}
	for _, shown := range want {
		findings = append(findings, &EmbedError{Path: shown, Reason: "is locked, but the Go toolchain does not embed it"})
	}
	slices.SortFunc(findings, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return findings, nil
}

// embeddedFiles returns the absolute paths of what the package in dir embeds.
// The go command downloads nothing and leaves go.mod alone.
func embeddedFiles(ctx context.Context, dir string) ([]string, error) {
	loaded, err := packages.Load(&packages.Config{
		Context: ctx,
		Mode:    packages.NeedName | packages.NeedFiles | packages.NeedEmbedFiles,
		Dir:     dir,
		Env:     append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly"),
	}, ".")
	if err != nil {
		return nil, err
	}
	var files []string
	for _, pkg := range loaded {
		for _, problem := range pkg.Errors {
			return nil, fmt.Errorf("%s", problem.Msg)
		}
		files = append(files, pkg.EmbedFiles...)
	}
	return files, nil
}

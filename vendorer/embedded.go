package vendorer

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/vendorer/internal/gotool"
)

// An EmbedError reports that the Go toolchain does not embed exactly what is
// locked.
type EmbedError struct {
	Path   string
	Reason string
}

func (e *EmbedError) Error() string { return e.Path + " " + e.Reason }

// embedFindings asks whether exactly the locked packs are embedded: other files of
// the package may embed what they like, but not from the packs' folder. The error
// says why the toolchain could not be asked.
func (s *session) embedFindings(ctx context.Context, t *gotool.Toolchain, plan Plan) ([]error, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, err
	}
	embedded, err := t.EmbeddedFiles(ctx)
	if err != nil {
		if unusable := t.Unusable(ctx); unusable != nil {
			return nil, unusable
		}
		return []error{&EmbedError{Path: s.p.Show(s.p.Dir), Reason: "cannot be loaded by the Go toolchain: " + err.Error()}}, nil
	}
	want := map[string]string{} // absolute path → as shown
	for _, step := range plan.Steps {
		name := s.p.PackFile(step.Pack.Name)
		want[filepath.Join(s.p.Module, filepath.FromSlash(name))] = s.p.Show(name)
	}
	data := filepath.Join(s.p.Module, filepath.FromSlash(s.p.DataDir)) + string(filepath.Separator)
	var findings []error
	for _, file := range embedded {
		if _, ok := want[file]; !ok && strings.HasPrefix(file, data) {
			below := strings.TrimPrefix(file, data)
			findings = append(findings, &EmbedError{Path: filepath.Join(s.p.Show(s.p.DataDir), below), Reason: "is embedded, but not locked"})
		}
		delete(want, file)
	}
	for _, shown := range want {
		findings = append(findings, &EmbedError{Path: shown, Reason: "is locked, but the Go toolchain does not embed it"})
	}
	slices.SortFunc(findings, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return findings, nil
}

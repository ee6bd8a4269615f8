package vendorer

import (
	"errors"
	"io/fs"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// compareGoFiles compares the generated files with packs.lock.
func (s *session) compareGoFiles(c *comparison, pkg embedgen.Package) error {
	if c.plan.lockedError() != nil || c.isInconsistent() { // the right text is unknown
		return nil
	}
	tasks := c.plan.tasks()
	if source, err := s.p.ReadFile(s.p.GoFile, project.MaxSource); err == nil {
		takeSamplesFrom(tasks, source)
	}
	pkg = embeds(pkg, tasks)
	if err := s.compareGenerated(c, s.p.GoFile, pkg, embedgen.Generate); err != nil {
		return err
	}
	if pkg.Stub {
		return s.compareGenerated(c, s.p.StubFile, pkg, embedgen.GenerateStub)
	}
	surplus, err := s.p.HasStub()
	if surplus {
		c.goFiles = append(c.goFiles, &GeneratedError{Path: s.p.Show(s.p.StubFile), Surplus: true})
	}
	return err
}

// compareGenerated compares one generated file with what generate returns.
func (s *session) compareGenerated(c *comparison, name string, pkg embedgen.Package, generate func(embedgen.Package) ([]byte, error)) error {
	want, err := generate(pkg)
	if err != nil {
		return err
	}
	got, err := s.p.ReadFile(name, project.MaxSource)
	got = project.WithoutCR(got)
	shown := s.p.Show(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.goFiles = append(c.goFiles, &GeneratedError{Path: shown})
	case err != nil:
		return err
	case string(got) != string(want):
		c.goFiles = append(c.goFiles, &GeneratedError{Path: shown, Diff: string(diff.Diff(shown, got, shown+" as generated", want))})
	}
	return nil
}

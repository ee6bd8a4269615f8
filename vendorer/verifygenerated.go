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
	source, readErr := s.p.ReadFile(s.p.GoFile, project.MaxSource)
	takeSamplesFrom(tasks, source)
	pkg = embeds(pkg, tasks)
	want, err := embedgen.Generate(pkg)
	if err != nil {
		return err
	}
	if err := s.compareGenerated(c, s.p.GoFile, source, readErr, want); err != nil {
		return err
	}
	if pkg.Stub {
		stub, readErr := s.p.ReadFile(s.p.StubFile, project.MaxSource)
		if want, err = embedgen.GenerateStub(pkg); err != nil {
			return err
		}
		return s.compareGenerated(c, s.p.StubFile, stub, readErr, want)
	}
	surplus, err := s.p.HasStub()
	if surplus {
		c.goFiles = append(c.goFiles, &GeneratedError{Path: s.p.Show(s.p.StubFile), Surplus: true})
	}
	return err
}

// compareGenerated compares one generated file with its right text. got is what was read of it, or
// readErr why it could not be read.
func (s *session) compareGenerated(c *comparison, name string, got []byte, readErr error, want []byte) error {
	got = project.WithoutCR(got)
	shown := s.p.Show(name)
	switch {
	case errors.Is(readErr, fs.ErrNotExist):
		c.goFiles = append(c.goFiles, &GeneratedError{Path: shown})
	case readErr != nil:
		return readErr
	case string(got) != string(want):
		c.goFiles = append(c.goFiles, &GeneratedError{Path: shown, Diff: string(diff.Diff(shown, got, shown+" as generated", want))})
	}
	return nil
}

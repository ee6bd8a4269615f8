package project

import (
	"errors"
	"io/fs"

	"github.com/greenticai/packvendor/embedgen"
)

// checkStub checks that the stub replaces no other file.
func (p *Project) checkStub() error {
	source, err := p.readHead(p.StubFile, int64(embedgen.StubHeadSize))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case embedgen.IsStub(source):
		return nil
	case embedgen.IsGenerated(source):
		return p.superseded(p.StubFile, "a stub")
	}
	return &PlaceError{Path: p.Show(p.StubFile), Reason: notGenerated}
}

// HasStub tells whether there is a stub, whatever packs.toml says.
func (p *Project) HasStub() (bool, error) {
	info, err := p.Root.Lstat(p.StubFile)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return false, nil
	}
	if err != nil {
		return false, p.located(p.StubFile, err)
	}
	source, err := p.readHead(p.StubFile, int64(embedgen.StubHeadSize))
	return err == nil && embedgen.IsStub(source), err
}

// StageStub stages the stub, if it changes.
func (c *Change) StageStub(source []byte) (err error) {
	c.stub, err = c.stageText(c.p.StubFile, source)
	return err
}

// DropStub adds the deletion of the stub, if there is one.
func (c *Change) DropStub() (err error) {
	c.dropsStub, err = c.p.HasStub()
	return err
}

// deleteStub removes the stub. Another file in its place is someone else's and stays.
func (c *Change) deleteStub() error {
	if !c.dropsStub {
		return nil
	}
	if is, err := c.p.HasStub(); !is {
		return err
	}
	if err := c.p.Root.Remove(c.p.StubFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.p.located(c.p.StubFile, err)
	}
	c.changed = append(c.changed, c.p.Dir)
	c.Deleted = append(c.Deleted, c.p.Show(c.p.StubFile))
	return nil
}

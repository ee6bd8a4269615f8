package project

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// A Change is a run's staged change to the project.
type Change struct {
	// Packs are the staged packs, nil where staging failed.
	Packs []*atomicfile.File
	// Create and Commit fill these: files as the user would name them.
	Written, Deleted []string
	Dropped          []string // names of packs
	Kept             []KeptFile

	p *Project
	// Each of these is nil if the file does not change.
	goFile, stub, lock, toml *atomicfile.File
	created                  []*atomicfile.File // other files
	keys                     []*atomicfile.File
	evidence                 []*atomicfile.File
	dropsStub                bool
	deletions                []deletion
	unproved                 []unproved

	madeDirs []string // directories that staging made, outermost first
	changed  []string // directories with added or removed names, possibly repeated
}

// NewChange returns an empty change. The caller must call Discard.
func (p *Project) NewChange() *Change { return &Change{p: p} }

// A KeptFile is a dropped pack's file that stays, since it differs from packs.lock.
type KeptFile struct{ Name, Path string }

// A deletion is a dropped pack's vendored file.
type deletion struct {
	name, file string
	was        Vendored // the file when the change was planned
	own        bool     // its bytes are the locked ones
	there      bool
}

// An unproved is an entry whose evidence is to be deleted.
type unproved struct {
	entry lockfile.Entry
	own   bool // the file is the locked evidence
	there bool
}

// makeDir makes a directory below the root and records each new directory.
func (c *Change) makeDir(dir string) error {
	at := "."
	for part := range strings.SplitSeq(dir, "/") {
		at = path.Join(at, part)
		if err := c.p.Root.Mkdir(at, 0o777); err == nil {
			c.madeDirs = append(c.madeDirs, at)
			c.changed = append(c.changed, path.Dir(at))
		} else if !errors.Is(err, fs.ErrExist) {
			return c.p.located(at, err)
		}
	}
	return nil
}

// MakeDataDir makes the packs' directory.
func (c *Change) MakeDataDir() error { return c.makeDir(c.p.DataDir) }

// StageGo stages the generated file, if it changes.
func (c *Change) StageGo(source []byte) (err error) {
	c.goFile, err = c.stageText(c.p.GoFile, source)
	return err
}

// StageLock stages packs.lock, if it changes.
func (c *Change) StageLock(data []byte) (err error) {
	c.lock, err = c.stageText(c.p.LockFile, data)
	return err
}

// StageTOML stages an edited packs.toml, if it changes.
func (c *Change) StageTOML(data []byte) (err error) {
	if !bytes.Equal(data, c.p.TOML) {
		c.toml, err = atomicfile.BeginEdit(c.p.Root, c.p.TOMLFile, data)
	}
	return err
}

// StageEvidence stages the evidence of a pack. If apart is set, it is made durable by itself,
// and does not stay open.
func (c *Change) StageEvidence(name string, data []byte, apart bool) error {
	at := c.p.EvidenceFile(name)
	if err := c.p.CheckFile(at); err != nil {
		return err
	}
	if err := c.MakeDataDir(); err != nil {
		return err
	}
	file, err := atomicfile.Begin(c.p.Root, at, data)
	if err == nil && apart {
		err = file.Finish()
	}
	c.evidence = append(c.evidence, file)
	return err
}

// StageKey stages the file of a signer's public key, which is not there yet.
func (c *Change) StageKey(signer string, data []byte) error {
	at := c.p.KeyFile(signer)
	if err := c.makeDir(path.Dir(at)); err != nil {
		return err
	}
	file, err := atomicfile.Begin(c.p.Root, at, data)
	c.keys = append(c.keys, file)
	return err
}

// StageFile stages a file that is not packvendor's own, for Create.
func (c *Change) StageFile(name string, data []byte) error {
	if err := c.makeDir(path.Dir(name)); err != nil {
		return err
	}
	file, err := atomicfile.BeginEdit(c.p.Root, name, data)
	c.created = append(c.created, file)
	return err
}

// Create renames the files of StageFile into place, after all have reached the disk.
func (c *Change) Create() error {
	files := nonNil(c.created)
	if err := atomicfile.FinishAll(files...); err != nil {
		return err
	}
	if err := c.rename(files); err != nil {
		return err
	}
	return c.syncDirs()
}

// stageText stages a file unless it has these bytes already, with any line ends.
func (c *Change) stageText(name string, data []byte) (*atomicfile.File, error) {
	now, err := c.p.ReadFile(name, MaxSource)
	if err == nil && bytes.Equal(WithoutCR(now), data) {
		return nil, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := c.makeDir(c.p.Dir); err != nil {
		return nil, err
	}
	return atomicfile.Begin(c.p.Root, name, data)
}

// Drop adds the deletion of packs that packs.toml no longer has.
func (c *Change) Drop(surplus []lockfile.Entry, vendored map[string]Vendored) {
	for _, entry := range surplus {
		was := vendored[entry.Name]
		c.deletions = append(c.deletions, deletion{
			name:  entry.Name,
			was:   was,
			file:  c.p.PackFile(entry.Name),
			there: !was.IsZero(),
			own:   was.Content == ContentOf(entry),
		})
		c.DropEvidence(entry)
	}
}

// DropEvidence adds the deletion of the evidence that an entry of the old packs.lock has.
func (c *Change) DropEvidence(entry lockfile.Entry) {
	if entry.Evidence != "" {
		c.unproved = append(c.unproved, unproved{entry: entry})
	}
}

// Commit carries out the change: keys, packs.toml, new packs, their evidence, the Go files,
// deletions, packs.lock. The next run completes an interrupted one, and verify reports it until
// then: packs.toml names a new pack before its file exists, and packs.lock names a
// dropped pack until its file is gone. Else the files would have no owner.
//
// All bytes reach the disk before the first rename: a file system may keep a name
// through a power cut without its bytes. After Commit the names are on the disk, too.
func (c *Change) Commit(ctx context.Context) error {
	files := nonNil(slices.Concat(c.keys, []*atomicfile.File{c.toml}, c.Packs, c.evidence, []*atomicfile.File{c.stub, c.goFile}))
	lock := nonNil([]*atomicfile.File{c.lock})
	if len(files)+len(lock)+len(c.deletions)+len(c.unproved) == 0 && !c.dropsStub {
		return nil
	}
	if err := atomicfile.FinishAll(slices.Concat(files, lock)...); err != nil {
		return err
	}
	if err := c.checkUnchanged(); err != nil {
		return err
	}
	if err := c.lookAgain(ctx); err != nil {
		return err
	}
	if err := c.rename(files); err != nil {
		return err
	}
	if err := c.delete(); err != nil {
		return err
	}
	if err := c.rename(lock); err != nil {
		return err
	}
	return c.syncDirs()
}

func (c *Change) rename(files []*atomicfile.File) error {
	for _, file := range files {
		if err := file.Commit(); err != nil {
			return err
		}
		c.madeDirs = nil // they are no longer empty
		c.changed = append(c.changed, path.Dir(file.Name()))
		c.Written = append(c.Written, c.p.Show(file.Name()))
	}
	return nil
}

func nonNil(files []*atomicfile.File) []*atomicfile.File {
	var kept []*atomicfile.File
	for _, file := range files {
		if file != nil {
			kept = append(kept, file)
		}
	}
	return kept
}

// checkUnchanged checks that the inputs of the change are unchanged, and that it still
// replaces only files of packvendor.
func (c *Change) checkUnchanged() error {
	if err := c.p.checkPlaces(); err != nil {
		return err
	}
	for _, file := range nonNil(c.evidence) {
		if err := c.p.CheckFile(file.Name()); err != nil {
			return err
		}
	}
	toml, err := c.p.ReadFile(c.p.TOMLFile, packsfile.MaxSize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(toml, c.p.TOML) {
		return &ChangedError{Path: c.p.Show(c.p.TOMLFile)}
	}
	lock, err := c.p.ReadFile(c.p.LockFile, lockfile.MaxSize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(WithoutCR(lock), c.p.LockBytes) {
		return &ChangedError{Path: c.p.Show(c.p.LockFile)}
	}
	return nil
}

// syncDirs makes added and removed names durable: packs.lock's directory is the last,
// since some file systems do not keep the order.
func (c *Change) syncDirs() error {
	slices.Sort(c.changed)
	dirs := slices.Compact(c.changed)
	slices.Reverse(dirs) // subdirectories first
	if n := slices.Index(dirs, c.p.Base); n >= 0 {
		dirs = append(slices.Delete(dirs, n, n+1), c.p.Base)
	}
	for _, dir := range dirs {
		if err := atomicfile.SyncDir(c.p.Root, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lookAgain looks at the files to delete again, since a download may take long. It is
// the last step that an interrupt ends.
func (c *Change) lookAgain(ctx context.Context) error {
	for n, d := range c.deletions {
		if !d.own {
			continue
		}
		now, err := c.p.Measure(ctx, d.file, d.was.Size)
		if err != nil {
			return err
		}
		c.deletions[n].own = now == d.was
	}
	for n, u := range c.unproved {
		data, err := c.p.ReadEvidence(u.entry.Name)
		var place *PlaceError
		var long *LongFileError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.As(err, &place), errors.As(err, &long):
		case err != nil:
			return err
		default:
			c.unproved[n].own = evidence.Digest(data) == u.entry.Evidence
		}
		c.unproved[n].there = true
	}
	return nil
}

// delete removes the vendored files of dropped packs. A file with other than the locked
// bytes is someone else's and stays.
func (c *Change) delete() error {
	if err := c.deleteStub(); err != nil {
		return err
	}
	for _, d := range c.deletions {
		c.Dropped = append(c.Dropped, d.name)
		if d.there && !d.own {
			c.Kept = append(c.Kept, KeptFile{d.name, c.p.Show(d.file)})
		}
		if !d.own {
			continue
		}
		if err := c.p.Root.Remove(d.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c.p.located(d.file, err)
		}
		c.changed = append(c.changed, c.p.DataDir)
		c.Deleted = append(c.Deleted, c.p.Show(d.file))
	}
	for _, u := range c.unproved {
		if err := c.deleteEvidence(u); err != nil {
			return err
		}
	}
	if len(c.deletions) > 0 && c.p.Root.Remove(c.p.DataDir) == nil { // it was empty
		c.changed = append(c.changed, path.Dir(c.p.DataDir))
	}
	return nil
}

// deleteEvidence removes the evidence of an entry. A file with other bytes, or a link, is
// someone else's and stays.
func (c *Change) deleteEvidence(u unproved) error {
	file := c.p.EvidenceFile(u.entry.Name)
	if u.there && !u.own {
		c.Kept = append(c.Kept, KeptFile{u.entry.Name, c.p.Show(file)})
	}
	if !u.own {
		return nil
	}
	if err := c.p.Root.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c.p.located(file, err)
	}
	c.changed = append(c.changed, c.p.DataDir)
	c.Deleted = append(c.Deleted, c.p.Show(file))
	return nil
}

// Discard removes staged files and new directories that were not committed.
func (c *Change) Discard() {
	for _, file := range nonNil(slices.Concat(c.keys, c.Packs, c.evidence, c.created, []*atomicfile.File{c.goFile, c.stub, c.lock, c.toml})) {
		file.Discard()
	}
	for n := len(c.madeDirs) - 1; n >= 0; n-- {
		c.p.Root.Remove(c.madeDirs[n])
	}
}

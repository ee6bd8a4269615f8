package vendorer

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// A change is all that a run will do to the project, staged and not yet done.
type change struct {
	p     *project
	packs []*atomicfile.File // nil where staging failed
	// Each of these is nil if the file does not change.
	goFile, lock, toml *atomicfile.File
	deletions          []deletion

	madeDirs []string // directories that staging made, outermost first
	changed  []string // directories in which names came or went, some of them more than once
	dropped  []string
	written  []string
	deleted  []string
	kept     []deletion // whose files are not what was locked, and stay
}

// A deletion is a dropped pack's vendored file.
type deletion struct {
	name, file string
	was        Vendored // what stood there when the change was planned
	own        bool     // its bytes are those that were locked
	there      bool
}

// makeDir makes a directory below the root and remembers what it made.
func (c *change) makeDir(dir string) error {
	at := "."
	for part := range strings.SplitSeq(dir, "/") {
		at = path.Join(at, part)
		if err := c.p.root.Mkdir(at, 0o777); err == nil {
			c.madeDirs = append(c.madeDirs, at)
			c.changed = append(c.changed, path.Dir(at))
		} else if !errors.Is(err, fs.ErrExist) {
			return c.p.located(at, err)
		}
	}
	return nil
}

// stageText stages a file unless it has these bytes already, perhaps with
// CRLF line ends.
func (c *change) stageText(name string, data []byte) (*atomicfile.File, error) {
	now, err := c.p.readFile(name, maxSource)
	if err == nil && bytes.Equal(withoutCR(now), data) {
		return nil, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := c.makeDir(c.p.dir); err != nil {
		return nil, err
	}
	return atomicfile.Begin(c.p.root, name, data)
}

// drop adds the deletion of packs that packs.toml no longer has.
func (c *change) drop(surplus []lockfile.Pack, vendored map[string]Vendored) {
	for _, entry := range surplus {
		was := vendored[entry.Name]
		c.deletions = append(c.deletions, deletion{
			name:  entry.Name,
			was:   was,
			file:  c.p.packFile(entry.Name),
			there: !was.IsZero(),
			own:   was.Content == contentOf(entry),
		})
	}
}

// commit does the change: packs.toml, new packs, the Go file, the deletion of
// dropped packs, packs.lock. A run that is cut off anywhere leaves what the next
// one makes whole, and what verify does not call whole: a new pack's file comes
// when packs.toml names it already, a dropped one's goes while packs.lock still
// does, since nobody else would know whose they are.
//
// Before the first of them gets its name, all bytes have reached the disk: a file
// system may keep a name through a power cut and not the bytes that it is for.
// After commit the names have reached the disk as well.
func (c *change) commit(ctx context.Context) error {
	files := nonNil(slices.Concat([]*atomicfile.File{c.toml}, c.packs, []*atomicfile.File{c.goFile}))
	lock := nonNil([]*atomicfile.File{c.lock})
	if len(files)+len(lock)+len(c.deletions) == 0 {
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

func (c *change) rename(files []*atomicfile.File) error {
	for _, file := range files {
		if err := file.Commit(); err != nil {
			return err
		}
		c.madeDirs = nil // they are no longer empty
		c.changed = append(c.changed, path.Dir(file.Name()))
		c.written = append(c.written, c.p.show(file.Name()))
	}
	return nil
}

// texts are the staged files but the packs.
func (c *change) texts() []*atomicfile.File {
	return nonNil([]*atomicfile.File{c.goFile, c.lock, c.toml})
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

// checkUnchanged sees that what the change was made from is still there, and
// what it replaces still packvendor's.
func (c *change) checkUnchanged() error {
	if err := c.p.checkPlaces(); err != nil {
		return err
	}
	toml, err := c.p.readFile(c.p.tomlFile, packsfile.MaxSize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(toml, c.p.toml) {
		return &ChangedError{Path: c.p.show(c.p.tomlFile)}
	}
	lock, err := c.p.readFile(c.p.lockFile, lockfile.MaxSize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(withoutCR(lock), c.p.lockBytes) {
		return &ChangedError{Path: c.p.show(c.p.lockFile)}
	}
	return nil
}

// syncDirs makes durable which names came and went: the packs' first and packs.lock
// last, where the file system does not keep their order anyway.
func (c *change) syncDirs() error {
	slices.Sort(c.changed)
	dirs := slices.Compact(c.changed)
	slices.Reverse(dirs) // a directory comes before the one that it is in
	if n := slices.Index(dirs, c.p.base); n >= 0 {
		dirs = append(slices.Delete(dirs, n, n+1), c.p.base)
	}
	for _, dir := range dirs {
		if err := atomicfile.SyncDir(c.p.root, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lookAgain sees whose the files are that will be deleted: a download may have taken
// long. It is the last that an interrupt ends.
func (c *change) lookAgain(ctx context.Context) error {
	for n, d := range c.deletions {
		if !d.own {
			continue
		}
		now, err := c.p.measure(ctx, d.file, d.was.Size)
		if err != nil {
			return err
		}
		c.deletions[n].own = now == d.was
	}
	return nil
}

// delete removes the vendored files of dropped packs. What is not byte for
// byte what was locked is someone else's and stays.
func (c *change) delete() error {
	for _, d := range c.deletions {
		c.dropped = append(c.dropped, d.name)
		if d.there && !d.own {
			c.kept = append(c.kept, d)
		}
		if !d.own {
			continue
		}
		if err := c.p.root.Remove(d.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return c.p.located(d.file, err)
		}
		c.changed = append(c.changed, c.p.dataDir)
		c.deleted = append(c.deleted, c.p.show(d.file))
	}
	if len(c.deletions) > 0 && c.p.root.Remove(c.p.dataDir) == nil { // it was empty
		c.changed = append(c.changed, path.Dir(c.p.dataDir))
	}
	return nil
}

// discard takes back what was staged and not committed.
func (c *change) discard() {
	for _, file := range append(nonNil(c.packs), c.texts()...) {
		file.Discard()
	}
	for n := len(c.madeDirs) - 1; n >= 0; n-- {
		c.p.root.Remove(c.madeDirs[n])
	}
}

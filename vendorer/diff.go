package vendorer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/scratch"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/gitrev"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Difference is what changed in the packs of a project since a revision, or from one
// reference to another.
type Difference struct {
	Revision string // as it was given; "" if two references were
	Commit   string
	Packs    []PackChange // by name; none if packs.lock says the same
}

// A PackChange is what changed in one pack. Its digests are packs.lock's: that
// nothing else is vendored is for Verify to say.
type PackChange struct {
	lockfile.EntryChange
	// Files are the files inside the pack that changed. They are nil where that is
	// not known: the pack is new or removed, its bytes were not at hand or are no
	// zip archive; Unread says why then.
	Files  []FileChange
	Unread string
	// OldVersion and NewVersion are the versions that the manifests give, as far as
	// they are at hand, where the tags are others; else "".
	OldVersion, NewVersion string
}

type (
	// A FileChange is a file inside a pack that changed.
	FileChange = gtpack.FileChange
	// A FileChangeKind says how.
	FileChangeKind = gtpack.FileChangeKind
)

// IsSame tells whether the pack's bytes are the same, whatever else changed.
func (c PackChange) IsSame() bool {
	return c.Kind == lockfile.Changed && c.Old.LayerDigest == c.New.LayerDigest
}

// Diff compares packs.lock and the packs of the git revision called name with those
// that are there now. No network is used: packs are read from the repository, the
// project and the cache, and used only if they are what packs.lock says.
func Diff(ctx context.Context, o Options, name string) (*Difference, error) {
	o.Offline = true
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	dir := filepath.Join(s.p.Module, filepath.FromSlash(s.p.Base))
	rev, err := gitrev.Find(ctx, dir, name)
	if err != nil {
		return nil, err
	}
	before, err := s.lockAt(ctx, rev)
	if err != nil {
		return nil, err
	}
	d := &Difference{Revision: name, Commit: rev.Commit}
	for _, change := range lockfile.Diff(before, s.p.Lock) {
		d.Packs = append(d.Packs, PackChange{EntryChange: change})
	}
	places := make([]*PackChange, len(d.Packs))
	for i := range d.Packs {
		places[i] = &d.Packs[i]
	}
	return d, eachPack(ctx, s.client, PhaseVerifying, places, func(ctx context.Context, c *PackChange) error {
		return s.diffFiles(ctx, rev, c)
	})
}

// lockAt returns packs.lock as it was at a revision; an empty one if there was none.
func (s *session) lockAt(ctx context.Context, rev *gitrev.Revision) (*lockfile.Lock, error) {
	var lock *lockfile.Lock
	err := rev.Read(ctx, project.LockName, func(file io.Reader) error {
		data, err := regularfile.ReadAll(rev.Name+":"+project.LockName, file, 0, lockfile.MaxSize)
		if err == nil {
			lock, err = lockfile.Parse(rev.Name+":"+project.LockName, data)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return &lockfile.Lock{}, nil
	}
	return lock, err
}

// diffFiles finds out what changed inside a pack, as far as both are at hand.
func (s *session) diffFiles(ctx context.Context, rev *gitrev.Revision, c *PackChange) error {
	c.OldVersion, c.NewVersion = s.manifestVersion(c.Old), s.manifestVersion(c.New)
	if c.Kind != lockfile.Changed || c.IsSame() {
		return nil
	}
	before, err := s.findBytes(ctx, c.Old, s.bytesAt(ctx, rev))
	if err != nil || before == nil {
		c.Unread = "the bytes before are not at hand"
		return err
	}
	defer before.Close()
	after, err := s.findBytes(ctx, c.New, func(entry lockfile.Entry, w io.Writer) error { return s.p.Copy(ctx, entry, w) })
	if err != nil || after == nil {
		c.Unread = "the bytes now are not at hand"
		return err
	}
	defer after.Close()
	return c.compareFiles(ctx, before, after)
}

// compareFiles finds out what changed inside a pack. Bytes that are no archive are not
// compared.
func (c *PackChange) compareFiles(ctx context.Context, before, after gtpack.Source) error {
	files, err := gtpack.Diff(ctx, before, after)
	var none *gtpack.NotPackError
	var malformed *gtpack.MalformedError
	if errors.As(err, &none) || errors.As(err, &malformed) {
		c.Unread = err.Error()
		return nil
	}
	c.Files = append([]gtpack.FileChange{}, files...)
	return err
}

// bytesAt copies packs as they were vendored at a revision.
func (s *session) bytesAt(ctx context.Context, rev *gitrev.Revision) func(lockfile.Entry, io.Writer) error {
	return func(entry lockfile.Entry, w io.Writer) error {
		file, err := filepath.Rel(filepath.FromSlash(s.p.Base), filepath.FromSlash(s.p.PackFile(entry.Name)))
		if err != nil {
			return err
		}
		return rev.Read(ctx, filepath.ToSlash(file), func(file io.Reader) error {
			return verified.Copy(ctx, w, file, project.ContentOf(entry))
		})
	}
}

// findBytes returns a private copy of an entry's pack, from where copy finds it or
// else from the cache; nil if neither has it. That there is no room for it is an error.
func (s *session) findBytes(ctx context.Context, entry lockfile.Entry, copy func(lockfile.Entry, io.Writer) error) (*scratch.File, error) {
	copied, err := scratch.New()
	if err != nil {
		return nil, err
	}
	err = copy(entry, copied)
	if err == nil {
		return copied, nil
	}
	var noRoom *verified.WriteError
	if !errors.As(err, &noRoom) && ctx.Err() == nil {
		err = copied.Reset()
		if err == nil && s.copyCached(ctx, entry, copied) == nil {
			return copied, nil
		}
	}
	copied.Close()
	return nil, err
}

// copyCached copies an entry's pack from the cache.
func (s *session) copyCached(ctx context.Context, entry lockfile.Entry, copied *scratch.File) error {
	pack, err := s.FromLock(entry.Reference(), entry.ManifestDigest, lockedLayer(entry), entry.Layer)
	if err == nil {
		_, err = s.Copy(ctx, pack, copied)
	}
	return err
}

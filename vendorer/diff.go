package vendorer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Difference lists the changed packs of a project since a revision, or between two
// references.
type Difference struct {
	Revision string // as the caller gave it; "" for two references
	Commit   string
	Packs    []PackChange // by name; none if packs.lock is unchanged
	Total    *TotalChange // nil for two references
	// Trust is how [trust] asks for less than before, or trusts others.
	Trust []TrustChange
}

// A TotalChange is how the size of all packs together changed.
type TotalChange struct {
	Before, After int64           // bytes
	Limit         packsfile.Limit // limits.total of packs.toml
}

// A PackChange describes the change of one pack. Its digests come from packs.lock; only
// Verify compares them with the vendored bytes.
type PackChange struct {
	lockfile.EntryChange
	// Files are the changed files inside the pack. They are nil if unknown: the pack is
	// new or removed, its bytes are not at hand or are no zip archive. Unread then
	// gives the reason.
	Files  []FileChange
	Unread string
	// OldVersion and NewVersion are the versions in the manifests, if these are at hand
	// and differ from the tags; else "".
	OldVersion, NewVersion string
}

type (
	// A FileChange is a changed file inside a pack.
	FileChange = gtpack.FileChange
	// A FileChangeKind is the kind of such a change.
	FileChangeKind = gtpack.FileChangeKind
)

// IsSame tells whether the pack's bytes are the same.
func (c PackChange) IsSame() bool {
	return c.Kind == lockfile.Changed && c.Old.LayerDigest == c.New.LayerDigest
}

// Diff compares packs.lock and the packs of the git revision called name with the
// present ones. It uses no network. It reads packs from the repository, the project and
// the cache, and only uses bytes that match packs.lock.
func Diff(ctx context.Context, o Options, name string) (*Difference, error) {
	o.Offline = true
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	dir := filepath.Join(s.p.Module, filepath.FromSlash(s.p.Base))
	rev, err := git.Find(ctx, dir, name)
	if err != nil {
		return nil, err
	}
	before, err := s.lockAt(ctx, rev)
	if err != nil {
		return nil, err
	}
	d := &Difference{Revision: name, Commit: rev.Commit}
	d.Total = &TotalChange{Before: before.Size(), After: s.p.Lock.Size(), Limit: s.p.Config.Limits.Total}
	if d.Trust, err = s.diffTrust(ctx, rev, before); err != nil {
		return nil, err
	}
	s.tellUnaskedSigners(s.shownTable(), s.p.Config.Packs...)
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

// lockAt returns packs.lock at a revision; an empty one if there was none.
func (s *session) lockAt(ctx context.Context, rev *git.Revision) (*lockfile.Lock, error) {
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

// diffFiles compares the files inside a pack if both versions are at hand.
func (s *session) diffFiles(ctx context.Context, rev *git.Revision, c *PackChange) error {
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

// compareFiles compares the files inside a pack. It skips bytes that are no archive.
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

// bytesAt returns a function that copies the packs vendored at a revision.
func (s *session) bytesAt(ctx context.Context, rev *git.Revision) func(lockfile.Entry, io.Writer) error {
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

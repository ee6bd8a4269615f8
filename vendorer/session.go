package vendorer

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A session is an open project with a client for its packs.
type session struct {
	*client
	p *project.Project
}

// open opens a session that only reads: it shares the project with others that do. With
// tolerant set, packs that only lack a pin are no error. The caller must close it.
func open(ctx context.Context, o Options, tolerant bool) (*session, error) {
	lock, err := o.rlock(ctx)
	if err != nil {
		return nil, err
	}
	return openLocked(o, lock, tolerant)
}

// openLocked opens a session in the project that lock is of.
func openLocked(o Options, lock *project.Mutex, tolerant bool) (*session, error) {
	p, err := project.Open(o.file(), lock, tolerant)
	if err != nil {
		return nil, err
	}
	// packs.toml says which tags are allowed, so the fetcher allows all.
	c, err := o.newClient(filepath.Dir(o.file()), func(f *packfetch.Options, progress *progressCounter) {
		f.AllowTags = true
		f.InsecureRegistries = slices.Concat(f.InsecureRegistries, p.Config.InsecureRegistries)
		f.AcceptMediaTypes = p.Config.AcceptMediaTypes
		f.Copied = func(n, _ int64) { progress.copied(n) }
	})
	if err != nil {
		p.Close()
		return nil, err
	}
	return &session{c, p}, nil
}

// close ends the session and lets the next one at the project.
func (s *session) close() {
	s.client.close()
	s.p.Close()
}

// packError says of which pack err is.
func (s *session) packError(pack packsfile.Pack, action Action, locked *lockfile.Entry, err error) error {
	var inconsistent *InconsistentError
	if errors.As(err, &inconsistent) {
		err = inconsistent.At(s.p.Show(s.p.LockFile), s.p.Lock.Line(inconsistent.Name))
	}
	e := &PackError{File: s.p.Show(s.p.TOMLFile), Line: pack.Line, Name: pack.Name, Ref: pack.Ref, Insecure: s.p.Config.InsecureRegistries, Err: err}
	if action != Resolve {
		e.Locked = locked
	}
	return e
}

// lockedError returns the *LockedError of a plan that would change packs.lock, nil
// if it does not.
func (s *session) lockedError(plan Plan) error {
	e := plan.lockedError()
	if e == nil {
		e = &LockedError{NoFile: s.p.LockBytes == nil, Format: string(s.p.LockBytes) != string(lockfile.Format(s.p.Lock))}
		if !e.NoFile && !e.Format {
			return nil
		}
	}
	e.File = s.p.Show(s.p.LockFile)
	e.Place, e.Line = s.firstUnlocked(plan)
	return e
}

// firstUnlocked returns where the first pack of a plan stands that would change
// packs.lock.
func (s *session) firstUnlocked(plan Plan) (file string, line int) {
	for _, step := range plan.Steps {
		if step.Action == Resolve {
			return s.p.Show(s.p.TOMLFile), step.Pack.Line
		}
	}
	for _, entry := range plan.Surplus {
		return s.p.Show(s.p.LockFile), s.p.Lock.Line(entry.Name)
	}
	return s.p.Show(s.p.LockFile), 0
}

// unknown is the error of a name that packs.toml does not have.
func (s *session) unknown(name string) error {
	return &UnknownPackError{File: s.p.Show(s.p.TOMLFile), Name: name, Near: similar(name, s.p.Config.Packs)}
}

// similar returns the pack whose name is most like name, "" if none is.
func similar(name string, packs []packsfile.Pack) string {
	var names []string
	for _, pack := range packs {
		names = append(names, pack.Name)
	}
	return nearest.Of(name, names)
}

// vendoredError says what stands in a pack's place instead of what is locked.
func (s *session) vendoredError(entry lockfile.Entry, is Vendored) *VendoredError {
	return &VendoredError{Name: entry.Name, Path: s.p.Show(s.p.PackFile(entry.Name)), Got: is.Content, Want: project.ContentOf(entry), LFS: is.LFS}
}

package vendorer

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/internal/regularfile"
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
	return openIn(o, lock, tolerant)
}

// openIn opens a session in the project that lock is of.
func openIn(o Options, lock *project.Mutex, tolerant bool) (*session, error) {
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

// A client fetches packs as Options say, and tells of that. Its methods may be called
// concurrently.
type client struct {
	*fetch.Fetcher
	o        Options
	events   *orderedEvents // to be flushed when the work is done
	progress *progressCounter
	listed   once.Cache[string, []string] // the tags of repositories, by their names
}

// newClient returns a client; set says what Options does not say. project is the
// directory whose cache is meant if no other is.
func (o Options) newClient(project string, set func(*packfetch.Options, *progressCounter)) (c *client, err error) {
	c = &client{o: o, events: &orderedEvents{tell: o.Events}, progress: &progressCounter{tell: o.Progress}}
	f := o.Fetch
	set(&f, c.progress)
	f.Offline, f.CacheDir, f.UserAgent, f.LockWait = o.Offline, o.CacheDir, o.UserAgent, o.LockWait
	if f.CacheDir == "" {
		f.CacheDir = packfetch.DefaultCacheDir(o.getenv, project)
	}
	f.Events = func(e packfetch.Event) { c.events.event(Fetching{e}) }
	c.Fetcher, err = fetch.New(f)
	return c, err
}

// standalone returns a client that works for no project.
func (o Options) standalone(fo FetchOptions) (*client, error) {
	c, err := o.newClient(filepath.Dir(Nearest()), func(f *packfetch.Options, progress *progressCounter) {
		f.AllowTags, f.InsecureRegistries = fo.AllowTags, fo.InsecureRegistries
		f.Copied = progress.copiedOne
	})
	c.progress.begin(PhaseResolving, 1, 0)
	return c, err
}

// close passes on the events that are held.
func (c *client) close() { c.events.flush() }

// resolve finds the pack that a reference names.
func (c *client) resolve(ctx context.Context, reference string) (*fetch.Resolved, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	return c.Resolve(ctx, ref, "")
}

// list returns what lists the tags of a repository, once for all who want them.
func (c *client) list(ctx context.Context, ref ociref.Reference) func() ([]string, error) {
	return func() ([]string, error) {
		return c.listed.Do(ctx, ref.Name(), func(ctx context.Context) ([]string, error) { return c.Tags(ctx, ref) })
	}
}

// eachPack is forEach with the events of the packs told in their order, and
// counted as a phase.
func eachPack[T any](ctx context.Context, c *client, phase Phase, items []T, do func(context.Context, T) error) error {
	c.progress.begin(phase, len(items), 0)
	return eachCounted(ctx, c, items, do)
}

// eachFetched is eachPack for items whose bytes are copied.
func eachFetched(ctx context.Context, c *client, tasks []*task, do func(context.Context, *task) error) error {
	var bytes int64
	for _, t := range tasks {
		bytes += t.entry.Size
	}
	c.progress.begin(PhaseFetching, len(tasks), bytes)
	return eachCounted(ctx, c, tasks, do)
}

// eachCounted is eachPack within a phase that has begun.
func eachCounted[T any](ctx context.Context, c *client, items []T, do func(context.Context, T) error) error {
	err := forEach(ctx, c.o, items, func(ctx context.Context, item T) error {
		defer c.progress.done()
		return do(ctx, item)
	})
	c.events.flush()
	return err
}

// forEach calls do for every item, so many at once as Options.Jobs says, and
// returns all errors, in the items' order: a user is told of every pack that
// has a problem, not of the one that failed first.
func forEach[T any](ctx context.Context, o Options, items []T, do func(context.Context, T) error) error {
	errs := make([]error, len(items))
	var group errgroup.Group
	group.SetLimit(o.jobs())
	for i, item := range items {
		group.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = do(ctx, item)
			}
			return nil
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

// within are the options that hold where the packs.toml at file is at hand, be it
// only to look.
func (fo FetchOptions) within(file string) FetchOptions {
	if config := configured(file); config != nil {
		fo.InsecureRegistries = slices.Concat(fo.InsecureRegistries, config.InsecureRegistries)
	}
	return fo
}

// Configured returns the packs that packs.toml at file names, as far as it can be
// read: this is for suggestions, not for work.
func Configured(file string) []packsfile.Pack {
	if config := configured(file); config != nil {
		return config.Packs
	}
	return nil
}

// configured returns what the packs.toml at file says, nil if that is not to be known.
func configured(file string) *packsfile.File {
	data, err := regularfile.Read(nil, file, packsfile.MaxSize)
	if err != nil {
		return nil
	}
	config, _ := packsfile.Parse(file, data)
	return config
}

package vendorer

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/internal/sources"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A session is an open project with a client for its packs.
type session struct {
	*client
	p     *project.Project
	table *policies.Table // of packs.toml
}

func newSession(c *client, p *project.Project) *session {
	return &session{client: c, p: p, table: policies.TableOf(p)}
}

// open opens a session that only reads; other readers may share the project. With
// tolerant set, a pack without a pin is no error. The caller must close it.
func open(ctx context.Context, o Options, tolerant bool) (*session, error) {
	lock, err := o.rlock(ctx)
	if err != nil {
		return nil, err
	}
	return openIn(o, lock, tolerant)
}

// openToWrite opens a session that may change the project: no other has it open. tolerant is
// that of open.
func openToWrite(ctx context.Context, o Options, tolerant bool) (*session, error) {
	lock, err := o.lock(ctx)
	if err != nil {
		return nil, err
	}
	return openIn(o, lock, tolerant)
}

// openIn opens a session in the project of lock.
func openIn(o Options, lock *project.Mutex, tolerant bool) (*session, error) {
	p, err := project.Open(o.file(), lock, tolerant)
	if err != nil {
		return nil, err
	}
	c, err := o.clientOf(p)
	if err != nil {
		p.Close()
		return nil, err
	}
	return newSession(c, p), nil
}

// clientOf returns a client for the packs of a project.
func (o Options) clientOf(p *project.Project) (*client, error) {
	// packs.toml decides which tags are allowed, so the fetcher allows all.
	return o.newClient(filepath.Dir(o.file()), func(f *packfetch.Options, progress *progressCounter) {
		f.AllowTags = true
		f.InsecureRegistries = slices.Concat(f.InsecureRegistries, p.Config.InsecureRegistries)
		f.AcceptMediaTypes = p.Config.AcceptMediaTypes
		f.Copied = func(n, _ int64) { progress.copied(n) }
	})
}

// close ends the session and unlocks the project.
func (s *session) close() {
	s.client.close()
	s.p.Close()
}

// packError adds the pack to err, or to each error that it joins.
func (s *session) packError(pack packsfile.Pack, action Action, locked *lockfile.Entry, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, s.packError(pack, action, locked, e))
		}
		return errors.Join(errs...)
	}
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

// lockedError returns a *LockedError if the plan would change packs.lock, else nil.
func (s *session) lockedError(plan Plan) error {
	e := plan.lockedError()
	for _, step := range plan.Steps {
		if step.Action != Resolve && s.lacksSigner(step.Pack, step.Locked) {
			e = cmp.Or(e, &LockedError{})
			e.Unsigned = append(e.Unsigned, step.Pack.Name)
		}
	}
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

// firstUnlocked returns the place of the first pack that would change packs.lock.
func (s *session) firstUnlocked(plan Plan) (file string, line int) {
	for _, step := range plan.Steps {
		if step.Action == Resolve || s.lacksSigner(step.Pack, step.Locked) {
			return s.p.Show(s.p.TOMLFile), step.Pack.Line
		}
	}
	for _, entry := range plan.Surplus {
		return s.p.Show(s.p.LockFile), s.p.Lock.Line(entry.Name)
	}
	return s.p.Show(s.p.LockFile), 0
}

// unknown returns the error about a name that packs.toml does not have.
func (s *session) unknown(name string) error {
	return &UnknownPackError{File: s.p.Show(s.p.TOMLFile), Name: name, Near: similar(name, s.p.Config.Packs)}
}

// similar returns the pack name most like name, "" if none is similar.
func similar(name string, packs []packsfile.Pack) string {
	var names []string
	for _, pack := range packs {
		names = append(names, pack.Name)
	}
	return nearest.Of(name, names)
}

// vendoredError reports a file that differs from the locked pack.
func (s *session) vendoredError(entry lockfile.Entry, is Vendored) *VendoredError {
	return &VendoredError{Name: entry.Name, Path: s.p.Show(s.p.PackFile(entry.Name)), Got: is.Content, Want: project.ContentOf(entry), LFS: is.LFS}
}

// A client fetches packs by Options, and reports events and progress. Its methods may
// be called concurrently.
type client struct {
	*fetch.Fetcher
	o            Options
	events       *orderedEvents // flushed at the end of the work
	progress     *progressCounter
	policy       *policies.Policy             // of packs.toml; nil asks for nothing
	organisation *policies.Policy             // that judges all packs beside packs.toml's; nil asks for nothing
	keyless      *keyless.Verifier            // of signatures without a key
	listed       once.Cache[string, []string] // tags by repository name
}

// newClient returns a client; set fills the options that Options lacks. project is the
// directory whose cache is the default.
func (o Options) newClient(project string, set func(*packfetch.Options, *progressCounter)) (c *client, err error) {
	c = &client{o: o, events: &orderedEvents{tell: o.Events}, progress: &progressCounter{tell: o.Progress}}
	c.keyless = keyless.NewVerifier(func() keyless.Search { return o.searchKeyless(project) })
	f := o.Fetch
	set(&f, c.progress)
	f.Offline, f.CacheDir, f.UserAgent, f.LockWait, f.Bundles = o.Offline, o.CacheDir, o.UserAgent, o.LockWait, o.Bundles
	if f.CacheDir == "" {
		f.CacheDir = packfetch.DefaultCacheDir(o.getenv, project)
	}
	f.Events = func(e packfetch.Event) { c.events.event(Fetching{e}) }
	if c.Fetcher, err = fetch.New(f); err != nil {
		return nil, err
	}
	c.DistrustMirrors(sources.Distrust{IsForeign: isInTreeOf(project), AsksSigner: c.asksSigner})
	if err := c.OpenBundles(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// asksSigner tells whether a rule demands a signature of a pack, whatever its digest.
func (c *client) asksSigner(ref ociref.Reference) bool {
	for _, policy := range []*policies.Policy{c.policy, c.organisation} {
		if match, err := policy.Match(ref); err == nil && !match.IsException() {
			return true
		}
	}
	return false
}

// standalone returns a client without a project.
func (o Options) standalone(fo FetchOptions) (*client, error) {
	c, err := o.newClient(filepath.Dir(Nearest()), func(f *packfetch.Options, progress *progressCounter) {
		f.AllowTags, f.InsecureRegistries = fo.AllowTags, fo.InsecureRegistries
		f.Copied = progress.copiedOne
	})
	if err == nil {
		c.progress.begin(PhaseResolving, 1, 0)
	}
	return c, err
}

// close passes on the held events, and closes the bundles and the connections.
func (c *client) close() {
	c.events.flush()
	c.Close()
}

// resolve finds the pack of a reference.
func (c *client) resolve(ctx context.Context, reference string) (*fetch.Resolved, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	return c.Resolve(ctx, ref, "")
}

// list returns a function that lists a repository's tags, with one request for all.
func (c *client) list(ctx context.Context, ref ociref.Reference) func() ([]string, error) {
	return func() ([]string, error) {
		return c.listed.Do(ctx, ref.Name(), func(ctx context.Context) ([]string, error) { return c.Tags(ctx, ref) })
	}
}

// eachPack is forEach as a phase with progress, and with events in the packs' order.
func eachPack[T any](ctx context.Context, c *client, phase Phase, items []T, do func(context.Context, T) error) error {
	c.progress.begin(phase, len(items), 0)
	return eachCounted(ctx, c, items, do)
}

// eachFetched is eachPack with a count of copied bytes.
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

// indices returns 0 to n-1, for forEach over what is filled by place.
func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// forEach calls do for every item, up to Options.Jobs at once, and returns all errors
// in the items' order: the user learns of every pack with a problem, not of the first
// failure alone. A goroutine does many items: the stack of a new one grows in steps that
// cost as much as a short item.
func forEach[T any](ctx context.Context, o Options, items []T, do func(context.Context, T) error) error {
	errs := make([]error, len(items))
	var begun atomic.Int64
	var group sync.WaitGroup
	for range min(o.jobs(), len(items)) {
		group.Go(func() {
			for i := begun.Add(1) - 1; i < int64(len(items)); i = begun.Add(1) - 1 {
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = do(ctx, items[i])
				}
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

package vendorer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// DefaultJobs is how many packs are fetched at once.
const DefaultJobs = 8

// Options say which project is worked on, and how. The zero value vendors
// ./packs.toml.
type Options struct {
	// File is the path of packs.toml; "" is packs.toml.
	File string
	// Locked refuses, with a *LockedError, to change packs.lock.
	Locked bool
	// Offline forbids the network.
	Offline bool
	// CacheDir is the cache root; "" finds it from Getenv.
	CacheDir string
	// Jobs is how many packs are resolved or fetched at once; 0 is DefaultJobs.
	Jobs int
	// Getenv looks up the environment; nil knows no variables. Used are those
	// of packfetch.DefaultCacheDir, and GOPACKAGE.
	Getenv func(string) string
	// Fetch is how packs are fetched, where neither another field nor packs.toml
	// says it.
	Fetch packfetch.Options
	// UserAgent names the program to registries.
	UserAgent string
	// Events, if not nil, is told what happens on the way; never concurrently.
	Events func(Event)
	// Progress, if not nil, is told how far a run is, often; never concurrently.
	Progress func(Progress)
	// LockWait bounds the waits for other processes, on the project and on a
	// pack; 0 is five minutes.
	LockWait time.Duration
}

func (o Options) file() string {
	if o.File == "" {
		return tomlName
	}
	return o.File
}

func (o Options) getenv(key string) string {
	if o.Getenv == nil {
		return ""
	}
	return o.Getenv(key)
}

func (o Options) lockWait() time.Duration {
	if o.LockWait == 0 {
		return 5 * time.Minute
	}
	return o.LockWait
}

// lock keeps other runs out of the project, and tells if it must wait for one.
func (o Options) lock(ctx context.Context, tell *teller) (*project.Mutex, error) {
	return project.Lock(ctx, o.file(), o.lockWait(), func() { tell.now(WaitingForProject{File: o.file()}) })
}

func (o Options) jobs() int {
	if o.Jobs <= 0 {
		return DefaultJobs
	}
	return o.Jobs
}

// fetcher returns a fetcher; set says what is not said by Options. project is the
// directory whose cache is meant if no other is.
func (o Options) fetcher(set func(*packfetch.Options), project string, events func(Event)) (*fetch.Fetcher, error) {
	f := o.Fetch
	set(&f)
	f.Offline, f.CacheDir, f.UserAgent, f.LockWait = o.Offline, o.CacheDir, o.UserAgent, o.LockWait
	if f.CacheDir == "" {
		f.CacheDir = packfetch.DefaultCacheDir(o.getenv, project)
	}
	f.Events = func(e packfetch.Event) { events(Fetching{e}) }
	return fetch.New(f)
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

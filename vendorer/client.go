package vendorer

import (
	"context"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/packfetch"
)

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

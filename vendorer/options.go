// Package vendorer vendors packs into a Go package: it plans, fetches, stages, commits.
package vendorer

import (
	"context"
	"slices"
	"time"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// maxPacks bounds the packs at work at once. It is more than the requests to one host at once,
// since packs ask several: for a token, for a manifest, for a blob. What they need has bounds of
// its own: requests and connections by host, bodies by their bytes. With maxOpen, few enough
// files are open for a process that may open 1024, a common limit.
const maxPacks = 128

// maxChecked bounds the cache's entries that are hashed at once.
const maxChecked = 8

// Options select the project, and control the work on it. The zero value vendors
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
	// Bundles are the paths of OCI image layouts, such as Export writes them: a source of what
	// has a digest, before all others, also where Offline is set. Run, Fetch, Inspect and Export
	// use them.
	Bundles []string
	// Jobs bounds the packs that are resolved or fetched at once; 0 leaves it to the package,
	// which bounds requests, connections and bytes under way.
	Jobs int
	// Getenv looks up the environment: the variables of packfetch.DefaultCacheDir,
	// GOPACKAGE, PACKVENDOR_SIGSTORE and PATH. nil knows no variables.
	Getenv func(string) string
	// Executable is packvendor's own file, beside which the program is looked for that
	// verifies signatures without a key; "" if it is not known.
	Executable string
	// Fetch controls the downloads, unless another field or packs.toml does.
	Fetch packfetch.Options
	// Trust, if not nil, names the file with the [trust] of an organisation, which judges
	// the packs of Run, Add, Update, Remove, Verify, Fetch and Inspect beside that of
	// packs.toml. ExplainTrust shows how, and ListTrust names the file. It must be an
	// absolute path.
	Trust *string
	// UserAgent names the program to registries.
	UserAgent string
	// Events, if not nil, gets the events of the work; never concurrently.
	Events func(Event)
	// Progress, if not nil, gets the progress of the work, often; never concurrently.
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

// lock keeps other runs out of the project, and reports a wait for one.
func (o Options) lock(ctx context.Context) (*project.Mutex, error) {
	return project.Lock(ctx, o.file(), o.lockWait(), o.tellWaiting)
}

// rlock is lock for a run that only reads.
func (o Options) rlock(ctx context.Context) (*project.Mutex, error) {
	return project.RLock(ctx, o.file(), o.lockWait(), o.tellWaiting)
}

func (o Options) tellWaiting() {
	if o.Events != nil {
		o.Events(WaitingForProject{File: o.file()})
	}
}

func (o Options) jobs() int {
	if o.Jobs <= 0 {
		return maxPacks
	}
	return o.Jobs
}

// FetchOptions hold for one reference, outside any project.
type FetchOptions struct {
	AllowTags          bool
	InsecureRegistries []string
}

// within are the options that hold where the packs.toml at file is at hand, be it
// only to look.
func (fo FetchOptions) within(file string) FetchOptions {
	if config := configured(file); config != nil {
		fo.InsecureRegistries = slices.Concat(fo.InsecureRegistries, config.InsecureRegistries)
	}
	return fo
}

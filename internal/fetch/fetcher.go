// Package fetch resolves a parsed reference to a pack, and copies the pack's verified
// bytes to a file and to the cache that Greentic programs share. packfetch is its public
// side.
package fetch

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
)

// Options say where packs may come from and where they are kept. The zero
// value is the default: anonymous, HTTPS only, references with a digest only,
// the default cache root.
type Options struct {
	// AllowTags accepts references without a digest.
	AllowTags bool
	// Offline forbids the network: a pack that is not in the cache is an OfflineError.
	Offline bool
	// CacheDir is the cache root; "" finds it as the Rust client does, from
	// GREENTIC_PACK_CACHE_DIR, the system's cache directory or GREENTIC_HOME.
	CacheDir string
	// InsecureRegistries lists the host[:port] spoken to over plain HTTP.
	InsecureRegistries []string
	// AcceptMediaTypes are further layer media types of packs, for manifests in which
	// the default list accepts no layer.
	AcceptMediaTypes []string
	// Keychain finds the user's credentials after a registry has refused an anonymous
	// request; nil finds none. packfetch.UserKeychain is this machine's user's.
	Keychain registry.Keychain
	// Bundles are the paths of OCI image layouts, folders or tar archives, that are asked for
	// what has a digest after the cache and before any registry, also where Offline is set. A
	// Fetcher opens them when it needs one.
	Bundles []string
	// Mirrors are the registries that are asked before the one that a reference names, or in
	// its place; nil is none. packfetch.UserMirrors are this machine's, in registries.conf.
	Mirrors *sources.Mirrors
	// Verifier, if not nil, has to accept a signature of each pack before its bytes or its
	// path are given out, also where the cache has them. A pack whose manifest holds its
	// signature needs no request for that. For other signatures a Fetcher asks the
	// registry each time.
	Verifier Verifier
	// Transport sends the requests; nil is one with the system's trust and proxies,
	// over HTTP/2 and HTTP/1.1. A Fetcher uses the settings of an *http.Transport, not its
	// connections.
	Transport http.RoundTripper
	// Resolver looks up names unless Transport dials by itself; nil is the system's.
	Resolver *net.Resolver
	// Stall is how long a registry may keep a request waiting without a sign of
	// life, or with fewer than ten bytes a second; 0 is a minute.
	Stall time.Duration
	// Sleep waits before a request is sent again, or a cache entry that another program
	// may be writing is read again. It ends with its context. nil waits by the clock.
	Sleep func(context.Context, time.Duration) error
	// UserAgent names the program to registries; "" is "packvendor".
	UserAgent string
	// Events, if not nil, receives the events. It may be called concurrently.
	Events func(Event)
	// Copied, if not nil, receives how many bytes, of a pack of size bytes, were just
	// copied. A negative n takes bytes back that will be copied again. It may be called
	// concurrently.
	Copied func(n, size int64)
	// Underway, if not nil, receives the host[:port] of every request, with 1 when it is
	// sent and -1 when its response ends or is abandoned. It may be called concurrently.
	Underway func(host string, n int)
	// LockWait bounds the wait for another process that fetches the same pack;
	// 0 is five minutes. After one timeout a Fetcher does not wait again.
	LockWait time.Duration
}

// A Fetcher fetches packs. Its methods may be called concurrently, by any
// number of processes on one cache.
type Fetcher struct {
	sources       *sources.Client
	bundles       *sources.Bundles
	cache         *packcache.Cache
	allowTags     bool
	offline       bool
	accept        []string
	verifier      Verifier
	events        func(Event)
	copied        func(n, size int64)
	warnedCorrupt sync.Map                  // digests of manifests for which CorruptEntry was sent
	downloaded    sync.Map                  // by reference of a manifest, the Source of its pack
	warnedWaiting sync.Map                  // digests of manifests for which Waiting was sent
	fetching      once.Mutex[ociref.Digest] // held while a manifest or its pack is fetched
	bodies        bodies
}

// A Source is where something came from.
type Source = sources.Source

// DistrustMirrors says which files of Options.Mirrors are a stranger's word. It must be
// called before any request.
func (f *Fetcher) DistrustMirrors(d sources.Distrust) { f.sources.Distrust(d) }

// ProveOrigin is sources.Client.Prove.
func (f *Fetcher) ProveOrigin() { f.sources.Prove() }

// New returns a Fetcher. It touches neither disk nor network. Its error is
// *OptionError.
func New(o Options) (*Fetcher, error) {
	for _, host := range o.InsecureRegistries {
		if err := ociref.ParseHost(host); err != nil {
			return nil, &OptionError{Err: fmt.Errorf("insecure registry: %w", err)}
		}
	}
	for _, mediaType := range o.AcceptMediaTypes {
		if !ociref.IsMediaType(mediaType) {
			return nil, &OptionError{Err: fmt.Errorf("%+q is not a media type", mediaType)}
		}
	}
	if o.Events == nil {
		o.Events = func(Event) {}
	}
	bundles := sources.NewBundles(o.Bundles)
	f := &Fetcher{
		bundles: bundles,
		sources: sources.New(registry.New(registry.Options{
			Transport: o.Transport,
			Resolver:  o.Resolver,
			Insecure:  o.InsecureRegistries,
			UserAgent: cmp.Or(o.UserAgent, "packvendor"),
			Keychain:  o.Keychain,
			Stall:     o.Stall,
			Sleep:     o.Sleep,
			Retrying:  func(r registry.Retry) { o.Events(Retrying(r)) },
			Underway:  o.Underway,
		}), sources.Options{
			Bundles:  bundles.List(o.Offline),
			Mirrors:  o.Mirrors,
			Insecure: o.InsecureRegistries,
			Events:   o.Events,
		}),
		cache: packcache.New(packcache.Options{
			Root:     cmp.Or(o.CacheDir, packcache.DefaultRoot(os.Getenv, ".")),
			LockWait: o.LockWait,
			Sleep:    o.Sleep,
		}),
		allowTags: o.AllowTags,
		offline:   o.Offline,
		accept:    o.AcceptMediaTypes,
		verifier:  o.Verifier,
		events:    o.Events,
		copied:    o.Copied,
		bodies:    newBodies(),
	}
	return f, nil
}

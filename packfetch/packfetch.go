// Package packfetch takes a reference to a pack and leaves its verified bytes
// in the cache that Greentic programs share.
//
// It is the Go counterpart of the Rust crate greentic-distributor-client's
// OciPackFetcher: the same references, media types and cache, but nothing is
// believed that was not hashed.
package packfetch

import (
	"context"

	"github.com/greenticai/packvendor/internal/fetch"
)

type (
	Options = fetch.Options
	Fetcher = fetch.Fetcher
	Result  = fetch.Result
	Pack    = fetch.Pack
	Layer   = fetch.Layer
	Child   = fetch.Child
	Sink    = fetch.Sink
)

// New returns a Fetcher. It touches neither disk nor network. The error
// reports options that make no sense.
func New(o Options) (*Fetcher, error) { return fetch.New(o) }

// DefaultCacheDir returns the cache root for a project in the directory
// project, from the environment that getenv looks up.
func DefaultCacheDir(getenv func(string) string, project string) string {
	return fetch.DefaultCacheDir(getenv, project)
}

// Fetch returns the bytes of the pack that reference names, with the default
// options.
func Fetch(ctx context.Context, reference string) ([]byte, error) {
	return fetch.Fetch(ctx, reference)
}

// Errors, for errors.As.
type (
	// An InvalidReferenceError reports a string that is not a reference.
	InvalidReferenceError = fetch.InvalidReferenceError
	// A TagDisallowedError reports a reference without a digest where
	// Options.AllowTags is not set.
	TagDisallowedError = fetch.TagDisallowedError
	// An OfflineError reports that the network was needed and Options.Offline is
	// set. No connection was tried.
	OfflineError = fetch.OfflineError
	// A NoPackError reports a manifest without a layer that can be the pack.
	NoPackError = fetch.NoPackError
	// An IndexError reports an image index that does not lead to exactly one pack.
	IndexError = fetch.IndexError
	// A ManifestError reports a manifest that has no one meaning, or is none.
	ManifestError = fetch.ManifestError
	// A DigestMismatchError reports bytes that are not those that were asked
	// for, by digest or by size.
	DigestMismatchError = fetch.DigestMismatchError
	// A CorruptCacheError reports a file of the cache that is not what it must
	// be, when there is no network to replace it.
	CorruptCacheError = fetch.CorruptCacheError
	// A RegistryError reports a request that failed; Status is the HTTP status,
	// 0 if no response came.
	RegistryError = fetch.RegistryError
	// A ProtocolError reports an answer that an honest registry does not give.
	ProtocolError = fetch.ProtocolError
	// A StorageError reports that this machine's files, not the registry, stood in
	// the way.
	StorageError = fetch.StorageError
	// An OptionError reports Options that make no sense.
	OptionError = fetch.OptionError
)

type (
	// An Event is something that a user may want to know and that does not stop a
	// fetch. Events of concurrent fetches arrive concurrently.
	Event = fetch.Event
	// CorruptEntry: the cache held something else than it must, and it was fetched
	// again, or that was tried.
	CorruptEntry = fetch.CorruptEntry
	// CacheUnusable: the cache could not be read or written; the fetch goes on
	// without it.
	CacheUnusable = fetch.CacheUnusable
	// Waiting: another process is fetching the same pack.
	Waiting = fetch.Waiting
	// Resumed: a download that was interrupted goes on where it ended.
	Resumed = fetch.Resumed
	// Retrying: a request failed in a way that may pass, and is made again after a
	// wait.
	Retrying = fetch.Retrying
	// Doubtful: the layer that was selected may not be the pack, or not to every
	// client.
	Doubtful = fetch.Doubtful
)

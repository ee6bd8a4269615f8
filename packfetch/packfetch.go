// Package packfetch takes a reference to a pack and leaves its verified bytes
// in the cache that Greentic programs share.
//
// It is the Go counterpart of the Rust crate greentic-distributor-client's
// OciPackFetcher: the same references, media types and cache, but it hashes all bytes
// before it trusts them.
package packfetch

import (
	"bytes"
	"context"
	"time"

	"github.com/greenticai/packvendor/internal/credentials"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/mirrors"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/registry"
	"github.com/greenticai/packvendor/internal/sources"
	"github.com/greenticai/packvendor/internal/verified"
)

// Options say where packs may come from and where they are kept. The zero
// value is the default: anonymous, HTTPS only, references with a digest only,
// the default cache root.
type Options = fetch.Options

// A Fetcher fetches packs. Its methods may be called concurrently, by any
// number of processes on one cache.
type Fetcher struct{ engine *fetch.Fetcher }

// New returns a Fetcher. It touches neither disk nor network. Its error is
// *OptionError.
func New(o Options) (*Fetcher, error) {
	if v, ok := o.Verifier.(signedBy); ok && len(v.signers) == 0 {
		return nil, &OptionError{Err: errNoKeys}
	}
	engine, err := fetch.New(o)
	if err != nil {
		return nil, err
	}
	return &Fetcher{engine}, nil
}

// DefaultCacheDir returns the cache root for a project in the directory
// project, from the environment that getenv looks up.
func DefaultCacheDir(getenv func(string) string, project string) string {
	return packcache.DefaultRoot(getenv, project)
}

// Fetch returns the bytes of the pack that reference names, with the default
// options.
func Fetch(ctx context.Context, reference string) ([]byte, error) {
	f, err := New(Options{})
	if err != nil {
		return nil, err
	}
	return f.Fetch(ctx, reference)
}

// Fetch returns the verified bytes of the pack that reference names. The caller owns
// them.
//
// Errors, for errors.As: *InvalidReferenceError, *TagDisallowedError,
// *OfflineError, *NoPackError, *IndexError, *ManifestError,
// *DigestMismatchError, *CorruptCacheError, *RegistryError, *ProtocolError,
// *StorageError; with Options.Bundles also *UnreadBundleError and *BundleError; with
// Options.Mirrors also *SourcesError, *MirrorFileError, *MirrorFileMissingError and
// *BlockedError; with Options.Verifier also *UnsignedError and *UnsearchedError.
func (f *Fetcher) Fetch(ctx context.Context, reference string) ([]byte, error) {
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return nil, err
	}
	var m memory
	if _, err := f.engine.Copy(ctx, pack, &m); err != nil {
		return nil, err
	}
	return m.Bytes(), nil
}

// FetchToCache stores the pack that reference names in the cache, if it is not there, and
// returns its path. It verifies the bytes; other programs may write to the cache
// afterwards. If the cache cannot be written, an event says so, and the path is that of a
// temporary file, which the caller removes.
//
// Errors are those of Fetch.
func (f *Fetcher) FetchToCache(ctx context.Context, reference string) (Result, error) {
	pack, err := f.resolve(ctx, reference)
	if err != nil {
		return Result{}, err
	}
	return f.engine.ToCache(ctx, pack)
}

func (f *Fetcher) resolve(ctx context.Context, reference string) (*fetch.Resolved, error) {
	ref, err := ociref.Parse(reference)
	if err != nil {
		return nil, err
	}
	return f.engine.Resolve(ctx, ref, "")
}

// memory is a fetch.Sink of bytes in memory.
type memory struct{ bytes.Buffer }

func (m *memory) Reset() error {
	m.Buffer.Reset()
	return nil
}

type (
	// An UnreadBundleError reports a bundle of Options.Bundles that cannot be opened or read.
	UnreadBundleError = fetch.UnreadBundleError
	// A BundleError reports one that is no OCI image layout, or is not safe to read.
	BundleError = fetch.BundleError
	// A Result is a fetched pack, field for field the Rust client's ResolvedPack.
	Result = fetch.Result
	// A Layer is a layer, or a blob, that a manifest lists.
	Layer = fetch.Layer
	// A Child is a manifest that an index lists.
	Child = fetch.Child
	// Content is the digest and the size of a stream of bytes.
	Content = verified.Content
	// A Digest is sha256: and 64 hexadecimal digits.
	Digest = ociref.Digest
)

// Errors, for errors.As.
type (
	// An InvalidReferenceError reports a string that is not a reference.
	InvalidReferenceError = ociref.SyntaxError
	// A TagDisallowedError reports a reference without a digest where
	// Options.AllowTags is not set.
	TagDisallowedError = fetch.TagDisallowedError
	// An OfflineError reports that the network was needed and Options.Offline is
	// set, also for a pack whose manifest holds no signature that Options.Verifier
	// accepts. No connection was tried.
	OfflineError = fetch.OfflineError
	// A NoPackError reports a manifest without a layer that can be the pack.
	NoPackError = fetch.NoPackError
	// An IndexError reports an image index that does not lead to exactly one pack.
	IndexError = fetch.IndexError
	// A ManifestError reports an ambiguous or malformed manifest.
	ManifestError = fetch.ManifestError
	// A DigestMismatchError reports bytes with another digest or size than the
	// requested ones.
	DigestMismatchError = verified.MismatchError
	// A CorruptCacheError reports a corrupt file of the cache that cannot be replaced
	// without network.
	CorruptCacheError = packcache.CorruptError
	// A RegistryError reports a request that failed; Status is the HTTP status,
	// 0 if no response came.
	RegistryError = registry.Error
	// A ProtocolError reports an answer that an honest registry does not give.
	ProtocolError = registry.ProtocolError
	// A StorageError reports a failure of this machine's files, not of the registry.
	StorageError = fetch.StorageError
	// A SourcesError reports that no source has a manifest, a blob or the tags. It wraps the
	// error of the registry that the reference names.
	SourcesError = sources.Error
	// An Attempt is one source that was asked, and its error.
	Attempt = sources.Attempt
	// A MirrorFileError reports a malformed file of Options.Mirrors.
	MirrorFileError = mirrors.Error
	// A MirrorFileMissingError reports a variable that names such a file, which is not there.
	MirrorFileMissingError = mirrors.MissingError
	// A BlockedError reports a reference that such a file blocks. No request was made.
	BlockedError = sources.BlockedError
	// An OptionError reports an invalid Options field.
	OptionError = fetch.OptionError
)

type (
	// An Event does not stop a fetch, but a user may want to know it. Events of
	// concurrent fetches arrive concurrently.
	Event = fetch.Event
	// CorruptEntry: the cache held a corrupt file, and the Fetcher fetched it again or
	// tried to.
	CorruptEntry = fetch.CorruptEntry
	// CacheUnusable: the cache could not be read or written; the fetch goes on
	// without it.
	CacheUnusable = fetch.CacheUnusable
	// Waiting: another process is fetching the same pack.
	Waiting = fetch.Waiting
	// Events of Options.Mirrors. MirrorFilesRead: the files were read that say which mirrors
	// there are.
	MirrorFilesRead = sources.FilesRead
	// MirrorFileIgnored: a file is in the format of version 1, and does not count.
	MirrorFileIgnored = sources.FileIgnored
	// Served: a source answered. It is sent for references that a rule matches.
	Served = sources.Served
	// SourceFailed: a source did not answer, or not well, and the next one is asked.
	SourceFailed = sources.Failed
	// TagsFromMirror: the registry that the reference names did not answer, so a tag or a
	// list of tags is what a mirror says.
	TagsFromMirror = sources.TagsFromMirror
	// InsecureMirror: a mirror is passed over, because only its file allows plain HTTP.
	InsecureMirror = sources.InsecureMirror
	// LocationIgnored: a file in the work tree replaces a registry, and tags are asked of
	// that registry all the same. Only packvendor itself sends it.
	LocationIgnored = sources.LocationIgnored
	// LocationSpoke: a registry was to be asked for tags, but a location has its place. Only
	// packvendor itself sends it.
	LocationSpoke = sources.LocationSpoke
	// Resumed: an interrupted download continues.
	Resumed = fetch.Resumed
	// Retrying: a request failed temporarily. The Fetcher sends it again after a wait.
	Retrying = fetch.Retrying
	// SuspectLayer: the selected layer may not be the pack, or other clients may select
	// another one.
	SuspectLayer = fetch.SuspectLayer
)

type (
	// Mirrors are the rules of registries.conf: which registries are asked before others, or
	// in their place. The files are read once, before the first request. UserMirrors makes
	// them.
	Mirrors = sources.Mirrors
	// A Source is where something came from.
	Source = sources.Source
	// A SourceRole is the relation of a source to a reference: "origin", "location", "mirror"
	// or "bundle".
	SourceRole = sources.Role
	// PassedOver says why a source is not asked.
	PassedOver = sources.Reason
	// A MirrorRule is a table [[registry]] of registries.conf.
	MirrorRule = sources.Rule
	// A MirrorPosition is a line of such a file.
	MirrorPosition = mirrors.Position
)

// Reasons to pass over a source.
const (
	PassedInsecure = sources.Insecure // only its file allows plain HTTP
	PassedBlocked  = sources.Blocked  // a rule blocks it
	PassedForeign  = sources.Foreign  // its file is in the work tree, and the reference is a tag
)

// UserMirrors returns the mirrors that Podman, Skopeo and CRI-O use for the user whose
// environment getenv looks up: of $CONTAINERS_REGISTRIES_CONF, else of the first
// registries.conf in ~/.config/containers, /etc/containers and /usr/share/containers, and of
// the folders registries.conf.d there. Nothing is read before the first request.
//
// A program reads them only if it says so, by Options.Mirrors. Errors in the files end each
// request: *MirrorFileError, *MirrorFileMissingError, *BlockedError.
func UserMirrors(getenv func(string) string) *Mirrors { return sources.UserMirrors(getenv) }

type (
	// A Keychain finds the user's credentials for a host[:port]; nil if there are none.
	// A Fetcher asks it only after a registry has refused an anonymous request, and
	// sends the credentials to that registry or its token endpoint, over plain HTTP on
	// this machine only. It may be called concurrently; its errors hold no secrets.
	Keychain = registry.Keychain
	// Credentials are a user's for one registry.
	Credentials = credentials.Credentials
	// A CredentialsSource says where Credentials are. It never holds them.
	CredentialsSource = credentials.Source
)

// UserKeychain returns the credentials that Docker and Podman keep for the user
// whose environment getenv looks up. It starts credential helpers on demand, once for
// each host, and waits for them as long as patience; 0 is 30 s.
func UserKeychain(getenv func(string) string, patience time.Duration) Keychain {
	return credentials.New(credentials.Options{Getenv: getenv, HelperTimeout: patience})
}

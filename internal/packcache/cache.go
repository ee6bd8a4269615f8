// Package packcache owns the on-disk protocol of the pack cache that packvendor
// shares with other programs.
//
// Layout, below a root:
//
//	<64 hex of the manifest digest>/pack.gtpack     the pack layer's bytes
//	<64 hex of the manifest digest>/metadata.json   Metadata
//	<64 hex of the manifest digest>/manifest.json   the manifest's exact bytes
//	.locks/<64 hex of the manifest digest>.lock     held to fetch or remove the entry
//	.partial/<64 hex of the layer digest>           the first bytes of a layer from an
//	                                                interrupted download
//
// The Rust crate greentic-distributor-client reads and writes the first two at
// the same time (its src/oci_packs.rs): it takes pack.gtpack's mere existence
// for a hit, rewrites files in place and verifies nothing. So this package
// publishes whole and right files only, and trusts a file that it reads only
// after hashing a copy.
//
// An entry is removed as a whole, pack.gtpack first, and only if it holds nothing
// but files of this protocol. The newest modification time of its files is the
// time of its last use, on which only Prune relies.
package packcache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
)

const (
	packFile     = "pack.gtpack"
	metadataFile = "metadata.json"
	manifestFile = "manifest.json"
	locksDir     = ".locks"
)

// maxSmallFile bounds manifest.json and metadata.json, in bytes: a little above the
// largest manifest that a registry may send.
const maxSmallFile = 5 << 20

// DefaultLockWait bounds the wait for another process that fetches the same pack.
const DefaultLockWait = 5 * time.Minute

// Options configure a Cache.
type Options struct {
	// Root is the cache's directory. The first write makes it. It may be a symbolic
	// link.
	Root string
	// Now tells the time for metadata and last uses; nil is time.Now. Only Prune
	// relies on it.
	Now func() time.Time
	// LockWait bounds the wait for another process; 0 is DefaultLockWait.
	LockWait time.Duration
	// Sleep waits before a file that another program may be writing is read again.
	// It ends with its context. nil waits by the clock.
	Sleep func(context.Context, time.Duration) error
}

// A Cache reads and writes one cache root.
//
// Any number of goroutines, processes and other programs may use one root at
// the same time, with or without its locks: files appear by rename only, and
// every read is verified on a private copy. Locks only save double work, that
// of removing what is just being fetched included.
type Cache struct {
	root     string
	now      func() time.Time
	lockWait time.Duration
	sleep    func(context.Context, time.Duration) error

	sharing sharing
	making  sync.Mutex // held while the directory of the locks is made

	lockTimedOut context.Context // ends when a wait for a lock times out
	timeOutLocks context.CancelFunc

	looked func(path string) // for tests: called between the look at a directory and its opening
}

// New returns the Cache at o.Root. It touches nothing.
func New(o Options) *Cache {
	c := &Cache{root: o.Root, now: o.Now, lockWait: o.LockWait, sleep: o.Sleep}
	c.lockTimedOut, c.timeOutLocks = context.WithCancel(context.Background())
	if c.now == nil {
		c.now = time.Now
	}
	if c.sleep == nil {
		c.sleep = sleep
	}
	if c.lockWait == 0 {
		c.lockWait = DefaultLockWait
	}
	return c
}

// Root returns the cache's directory.
func (c *Cache) Root() string { return c.root }

// PackPath returns the path of a manifest's pack, which need not exist. Other programs
// may write there: the reader must verify its bytes.
func (c *Cache) PackPath(manifest ociref.Digest) string {
	return filepath.Join(c.root, manifest.Hex(), packFile)
}

// A CorruptError reports a wrong file of the cache.
type CorruptError struct {
	Path string
	Err  error // *verified.MismatchError, or why the file is none or contradicts the entry
	// Short tells that the file ends too early. Another program may still be writing
	// it.
	Short bool
	// Changed tells that another program wrote or replaced the file during the read.
	Changed bool
}

func (e *CorruptError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *CorruptError) Unwrap() error { return e.Err }

// Something else stands where a file, or an entry's directory, should be. It is not
// followed, opened or removed.
var (
	errNotFile = errors.New("not a regular file")
	errNotDir  = errors.New("not a directory")
)

// Manifest returns the manifest's bytes, which hash to its digest. The error is
// fs.ErrNotExist if the entry has none, *CorruptError if its file is another one.
func (c *Cache) Manifest(manifest ociref.Digest) ([]byte, error) {
	body, err := c.readSmall(manifest, manifestFile)
	if err != nil {
		return nil, err
	}
	if err := verified.Bytes(body, manifest); err != nil {
		return nil, &CorruptError{Path: c.path(manifest, manifestFile), Err: err}
	}
	return body, nil
}

// Pack copies the entry's pack to dst and returns nil only if the bytes in dst are want.
// It does not read a file of another size. If dst is a [Cloner] that can share the pack's
// blocks, the bytes that it has then are hashed. Errors: fs.ErrNotExist, *CorruptError,
// *verified.WriteError for dst's, others for a file that cannot be read or whose read
// ctx ends.
func (c *Cache) Pack(ctx context.Context, manifest ociref.Digest, want verified.Content, dst io.Writer) error {
	file, info, err := c.open(manifest, packFile)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := verified.Sized(info.Size(), want); err != nil {
		return &CorruptError{Path: c.PackPath(manifest), Err: err, Short: info.Size() < want.Size}
	}
	err = c.copyPack(ctx, dst, file, want)
	var mismatch *verified.MismatchError
	if errors.As(err, &mismatch) {
		cut := !mismatch.Over && mismatch.Got.Size < want.Size // shorter than when it was opened
		return &CorruptError{Path: c.PackPath(manifest), Err: err, Changed: cut || c.changed(manifest, packFile, info)}
	}
	if err == nil {
		c.markUsed(manifest)
	}
	return err
}

// OpenPack opens the entry's pack and returns its size in bytes. The bytes prove nothing, and
// another program may change them meanwhile. Errors: fs.ErrNotExist, others for a file that
// cannot be read.
func (c *Cache) OpenPack(manifest ociref.Digest) (io.ReadCloser, int64, error) {
	file, info, err := c.open(manifest, packFile)
	if err != nil {
		return nil, 0, err
	}
	c.markUsed(manifest)
	return file, info.Size(), nil
}

// HasPack tells whether the entry has a readable pack, right or wrong.
func (c *Cache) HasPack(manifest ociref.Digest) bool {
	file, _, err := c.open(manifest, packFile)
	if err != nil {
		return false
	}
	file.Close()
	return true
}

// Measure returns the digest and size of the entry's pack. It hashes a file only if
// maybe accepts its size; else the digest is "".
func (c *Cache) Measure(ctx context.Context, manifest ociref.Digest, maybe func(size int64) bool) (verified.Content, error) {
	content, _, err := c.measure(ctx, manifest, maybe)
	return content, err
}

// measure is Measure, and returns the file's info from when it was opened.
func (c *Cache) measure(ctx context.Context, manifest ociref.Digest, maybe func(size int64) bool) (verified.Content, fs.FileInfo, error) {
	file, info, err := c.open(manifest, packFile)
	if err != nil {
		return verified.Content{}, nil, err
	}
	defer file.Close()
	if !maybe(info.Size()) {
		return verified.Content{Size: info.Size()}, info, nil
	}
	content, err := verified.Measure(ctx, file)
	return content, info, err
}

func (c *Cache) path(manifest ociref.Digest, name string) string {
	return filepath.Join(c.root, manifest.Hex(), name)
}

// located puts the file's full path into an error: a Root's own errors name paths below
// it.
func (c *Cache) located(op string, manifest ociref.Digest, name string, err error) error {
	return locatedAt(op, c.path(manifest, name), err)
}

func locatedAt(op, path string, err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// readSmall reads manifest.json or metadata.json whole.
func (c *Cache) readSmall(manifest ociref.Digest, name string) ([]byte, error) {
	file, _, err := c.open(manifest, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxSmallFile))
}

// open opens a regular file in an entry's real directory, for reading. It follows no
// symbolic link and waits for no FIFO. info describes the opened file.
func (c *Cache) open(manifest ociref.Digest, name string) (file *os.File, info fs.FileInfo, err error) {
	entry, err := c.entry(manifest)
	if err != nil {
		return nil, nil, err
	}
	defer entry.Close()
	file, info, err = openNoLink(entry, name)
	switch {
	case errors.As(err, new(*regularfile.PlaceError)):
		return nil, nil, &CorruptError{Path: c.path(manifest, name), Err: errNotFile}
	case err != nil:
		return nil, nil, c.located("open", manifest, name, err)
	}
	return file, info, nil
}

// openNoLink opens a regular file that is no symbolic link.
func openNoLink(dir *os.Root, name string) (*os.File, fs.FileInfo, error) {
	info, err := dir.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if reason := regularfile.Irregular(info); reason != "" {
		return nil, nil, &regularfile.PlaceError{Path: name, Reason: reason}
	}
	return regularfile.Open(dir, name)
}

// changed tells whether a file of an entry has changed since it was opened.
func (c *Cache) changed(manifest ociref.Digest, name string, was fs.FileInfo) bool {
	file, is, err := c.open(manifest, name)
	if err != nil {
		return true
	}
	file.Close()
	return !os.SameFile(was, is) || was.Size() != is.Size() || !was.ModTime().Equal(is.ModTime())
}

// entry opens an entry's directory.
func (c *Cache) entry(manifest ociref.Digest) (*os.Root, error) {
	return c.openDir(filepath.Join(c.root, manifest.Hex()))
}

// openDir opens a directory in the root, and no symbolic link. It retries if the
// directory is removed and made anew meanwhile; one that keeps changing is not the
// cache's.
func (c *Cache) openDir(path string) (*os.Root, error) {
	for range 10 {
		info, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			break
		}
		if c.looked != nil {
			c.looked(path)
		}
		dir, err := os.OpenRoot(path)
		if err != nil {
			return nil, err
		}
		opened, err := dir.Stat(".")
		if err == nil && os.SameFile(info, opened) {
			return dir, nil
		}
		dir.Close()
		if err != nil {
			return nil, locatedAt("open", path, err)
		}
	}
	return nil, &CorruptError{Path: path, Err: errNotDir}
}

// IsMissing tells whether err says that the cache does not hold something: neither a
// wrong one nor an unreadable one.
func IsMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// DefaultRoot returns the cache's directory like the Rust client: the first that applies
// of GREENTIC_PACK_CACHE_DIR, the system's cache directory with greentic/packs,
// GREENTIC_HOME with cache/packs, and .greentic/cache/packs in project. getenv looks up
// an environment variable, "" if it is not set. Without HOME the user database has the
// home directory.
func DefaultRoot(getenv func(string) string, project string) string {
	s := system{os: runtime.GOOS, getenv: getenv, userHome: userHome}
	return s.root(project)
}

// A system is the environment that decides the cache root.
type system struct {
	os       string
	getenv   func(string) string
	userHome func() string // from the user database; "" if unknown
}

func (s system) root(project string) string {
	if dir := s.getenv("GREENTIC_PACK_CACHE_DIR"); dir != "" {
		return dir
	}
	if dir := s.cache(); dir != "" {
		return filepath.Join(dir, "greentic", "packs")
	}
	if dir := s.getenv("GREENTIC_HOME"); dir != "" {
		return filepath.Join(dir, "cache", "packs")
	}
	return filepath.Join(project, ".greentic", "cache", "packs")
}

// cache is os.UserCacheDir for a given environment. It ignores a relative
// XDG_CACHE_HOME, as the XDG specification says, and knows the home directory without
// HOME.
func (s system) cache() string {
	switch s.os {
	case "windows":
		return s.getenv("LocalAppData")
	case "darwin", "ios":
		return below(s.home(), "Library", "Caches")
	}
	if dir := s.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	return below(s.home(), ".cache")
}

func (s system) home() string {
	if dir := s.getenv("HOME"); dir != "" {
		return dir
	}
	return s.userHome()
}

func userHome() string {
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

func below(home string, elements ...string) string {
	if home == "" {
		return ""
	}
	return filepath.Join(append([]string{home}, elements...)...)
}

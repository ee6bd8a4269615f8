package packcache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
)

// lockPoll is the pause between tries to lock.
const lockPoll = 50 * time.Millisecond

// A Lock is the lock of an entry. It may not be held: locking fails on some file
// systems, and waits time out.
type Lock struct {
	file *flock.Flock // nil if not held
}

// Lock locks a manifest's entry. It calls waiting once, if not nil, when another process
// holds the lock. After Options.LockWait it goes on without the lock, as it does at once
// if files cannot be locked (NFS, a read-only cache). After one timeout all waits of the
// Cache end, and later calls only try. The only error is that of ctx.
func (c *Cache) Lock(ctx context.Context, manifest ociref.Digest, waiting func()) (*Lock, error) {
	if ctx.Err() != nil {
		return &Lock{}, context.Cause(ctx)
	}
	lock, busy := c.TryLock(manifest)
	if !busy || c.lockTimedOut.Err() != nil {
		return lock, nil
	}
	if waiting != nil {
		waiting()
	}
	lock = c.await(ctx, manifest)
	if !lock.Held() && ctx.Err() != nil {
		return lock, context.Cause(ctx)
	}
	return lock, nil
}

// await waits for the lock until it times out.
func (c *Cache) await(ctx context.Context, manifest ociref.Digest) *Lock {
	bounded, cancel := context.WithTimeout(ctx, c.lockWait)
	defer cancel()
	defer context.AfterFunc(c.lockTimedOut, cancel)()
	file, info, err := c.lockFile(manifest)
	if err != nil {
		return &Lock{}
	}
	held, _ := file.TryLockContext(bounded, lockPoll)
	if !held && errors.Is(bounded.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
		c.timeOutLocks()
	}
	return newLock(file, info, held)
}

// TryLock is Lock without waiting. busy tells that another process holds the lock.
func (c *Cache) TryLock(manifest ociref.Digest) (lock *Lock, busy bool) {
	file, info, err := c.lockFile(manifest)
	if err != nil {
		return &Lock{}, false
	}
	held, err := file.TryLock()
	return newLock(file, info, held), !held && err == nil
}

// lockFile returns the lock of an entry, and its file's info. It follows no link in the
// place of that file or its directory.
func (c *Cache) lockFile(manifest ociref.Digest) (*flock.Flock, fs.FileInfo, error) {
	dir := filepath.Join(c.root, locksDir)
	name := manifest.Hex() + ".lock"
	path := filepath.Join(dir, name)
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		err = errNotDir
	}
	if err == nil {
		info, err = os.Lstat(path)
	}
	if IsMissing(err) {
		info, err = c.makeLockFile(dir, name)
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errNotFile
	}
	// flock opens the file by its path, which may lead elsewhere by then, so it must
	// not create one.
	return flock.New(path, flock.SetPermissions(0o666), flock.SetFlag(os.O_RDONLY|regularfile.NoWait|regularfile.NoFollow)), info, err
}

// makeLockFile creates a lock's file in the directory of the locks.
func (c *Cache) makeLockFile(dir, name string) (fs.FileInfo, error) {
	locks, err := c.makeLocksDir(dir)
	if err != nil {
		return nil, err
	}
	defer locks.Close()
	file, err := locks.OpenFile(name, os.O_CREATE|os.O_RDONLY|regularfile.NoWait, 0o666)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Stat()
}

// makeLocksDir opens the directory of the locks, or makes it.
func (c *Cache) makeLocksDir(dir string) (*os.Root, error) {
	if locks, err := c.openDir(dir); !IsMissing(err) {
		return locks, err
	}
	c.making.Lock() // of many packs at once, one makes it
	defer c.making.Unlock()
	if locks, err := c.openDir(dir); !IsMissing(err) {
		return locks, err
	}
	if err := os.MkdirAll(c.root, 0o777); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return c.openDir(dir)
}

// newLock returns the lock on file, if it is held. flock opened the file by its path,
// which may name another file than info describes: then the lock does not count.
func newLock(file *flock.Flock, info fs.FileInfo, held bool) *Lock {
	if held {
		if locked, err := file.Stat(); err == nil && os.SameFile(info, locked) {
			return &Lock{file: file}
		}
	}
	file.Close()
	return &Lock{}
}

// Held tells whether the lock is held.
func (l *Lock) Held() bool { return l != nil && l.file != nil }

// Unlock releases the lock.
func (l *Lock) Unlock() {
	if l.Held() {
		l.file.Close()
		l.file = nil
	}
}

package packcache

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/greenticai/packvendor/internal/ociref"
)

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 50 * time.Millisecond

// A Lock is the right to fetch one entry while others wait; or, where locking
// does not work or took too long, only the wish for it.
type Lock struct {
	file *flock.Flock // nil if not held
}

// Lock takes the lock of a manifest's entry. It calls waiting once, if not
// nil, when another process holds the lock; after Options.LockWait it goes on
// without, as it does at once where files cannot be locked (NFS, a read-only
// cache). The only error is that of ctx.
func (c *Cache) Lock(ctx context.Context, manifest ociref.Digest, waiting func()) (*Lock, error) {
	if ctx.Err() != nil {
		return &Lock{}, context.Cause(ctx)
	}
	lock, busy := c.TryLock(manifest)
	if !busy {
		return lock, nil
	}
	if waiting != nil {
		waiting()
	}
	bounded, cancel := context.WithTimeout(ctx, c.lockWait)
	defer cancel()
	file := c.lockFile(manifest)
	held, _ := file.TryLockContext(bounded, lockPoll)
	lock = newLock(file, held)
	if !held && ctx.Err() != nil {
		return lock, context.Cause(ctx)
	}
	return lock, nil
}

// TryLock is Lock for those who have better things to do than wait: busy tells
// that another process holds the lock.
func (c *Cache) TryLock(manifest ociref.Digest) (lock *Lock, busy bool) {
	if err := os.MkdirAll(filepath.Join(c.root, locksDir), 0o777); err != nil {
		return &Lock{}, false
	}
	file := c.lockFile(manifest)
	held, err := file.TryLock()
	return newLock(file, held), !held && err == nil
}

func (c *Cache) lockFile(manifest ociref.Digest) *flock.Flock {
	path := filepath.Join(c.root, locksDir, manifest.Hex()+".lock")
	return flock.New(path, flock.SetPermissions(0o666), flock.SetFlag(os.O_CREATE|os.O_RDONLY|openNoWait))
}

func newLock(file *flock.Flock, held bool) *Lock {
	if !held {
		file.Close()
		return &Lock{}
	}
	return &Lock{file: file}
}

// Held tells whether the lock is really held.
func (l *Lock) Held() bool { return l != nil && l.file != nil }

// Unlock gives the lock back.
func (l *Lock) Unlock() {
	if l.Held() {
		l.file.Close()
		l.file = nil
	}
}

package packcache

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
)

// Reasons not to remove an entry.
var (
	ErrBusy    = errors.New("in use by another process")
	ErrForeign = errors.New("holds files that are not the cache's")
)

// Remove removes an entry under its lock, for which it does not wait. If locking does
// not work it goes on without the lock, and leaves temporaries alone. A process that
// reads the entry keeps its bytes; one that writes it without the lock may find the
// directory gone.
//
// Errors: ErrBusy and ErrForeign, of an entry that stays as it is; fs.ErrNotExist;
// *CorruptError if it is no directory; others for files that cannot be removed.
func (c *Cache) Remove(manifest ociref.Digest) error {
	lock, _, err := c.hold(manifest)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return c.unlink(manifest, lock)
}

// hold locks an entry that may be removed, and returns the entry as it is then.
func (c *Cache) hold(manifest ociref.Digest) (*Lock, Entry, error) {
	if entry, err := c.look(manifest); err != nil {
		return nil, entry, err // before a lock's file is made
	}
	lock, busy := c.TryLock(manifest)
	if busy {
		return nil, Entry{}, c.located("remove", manifest, ".", ErrBusy)
	}
	entry, err := c.look(manifest)
	if err == nil && len(entry.Foreign) > 0 {
		err = c.located("remove", manifest, ".", ErrForeign)
	}
	if err != nil {
		lock.Unlock()
		return nil, entry, err
	}
	return lock, entry, nil
}

// unlink removes an entry's files, the pack first: even if it fails later, other
// programs see a miss.
//
// The lock's own file stays. Another process may have opened it and be about to lock it.
// Without the name it would lock a file that no third process finds, and both would
// sweep each other's temporaries.
func (c *Cache) unlink(manifest ociref.Digest, lock *Lock) error {
	if err := c.unlinkFiles(manifest, lock); err != nil {
		return err
	}
	err := removeDir(filepath.Join(c.root, manifest.Hex()))
	if err == nil || IsMissing(err) || errors.Is(err, fs.ErrExist) {
		return nil // not empty: another process has begun the entry anew
	}
	return c.located("remove", manifest, ".", err)
}

func (c *Cache) unlinkFiles(manifest ociref.Digest, lock *Lock) error {
	entry, err := c.entry(manifest)
	if err != nil {
		return err
	}
	defer entry.Close() // Windows removes no directory that is open
	for _, name := range []string{packFile, metadataFile, manifestFile} {
		if err := entry.Remove(name); err != nil && !IsMissing(err) {
			return c.located("remove", manifest, name, err)
		}
	}
	if lock.Held() {
		atomicfile.Sweep(entry, ".")
	}
	return nil
}

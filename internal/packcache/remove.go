package packcache

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/ociref"
)

// Why an entry is not removed.
var (
	ErrBusy    = errors.New("in use by another process")
	ErrForeign = errors.New("holds files that are not the cache's")
)

// Remove removes an entry under its lock, which is not waited for. Where
// locking does not work it goes on without, and spares temporaries. Whoever is
// reading the entry has its bytes still; whoever is writing it without the lock
// may find that the directory is gone.
//
// Errors: ErrBusy and ErrForeign, of an entry that stays as it is;
// fs.ErrNotExist; *CorruptError for what is no directory; others for files that
// cannot be removed.
func (c *Cache) Remove(manifest ociref.Digest) error {
	lock, _, err := c.hold(manifest)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	return c.unlink(manifest, lock)
}

// hold takes the lock of an entry that may be removed, and returns what it
// holds by then.
func (c *Cache) hold(manifest ociref.Digest) (*Lock, Entry, error) {
	if entry, err := c.look(manifest); err != nil {
		return nil, entry, err // and no lock is made for it
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

// unlink removes an entry's files, the pack first: other programs then see a
// miss, however far it comes.
//
// The lock's own file stays. Another process may have opened it and be about to
// lock it: with the name gone it would lock a file that no third one finds, and
// both would sweep, each the other's temporaries, as if they were alone.
func (c *Cache) unlink(manifest ociref.Digest, lock *Lock) error {
	if err := c.unlinkFiles(manifest, lock); err != nil {
		return err
	}
	err := removeDir(filepath.Join(c.root, manifest.Hex()))
	if err == nil || IsMissing(err) || errors.Is(err, fs.ErrExist) {
		return nil // not empty: someone has begun the entry anew
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

package packcache

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// removers are the methods that remove an entry; each is given one that it has
// reason to remove.
var removers = []struct {
	name   string
	remove func(*Cache, item) error
}{
	{"Remove", func(c *Cache, i item) error { return c.Remove(i.manifest) }},
	{"Repair", func(c *Cache, i item) error {
		removed, err := c.Repair(context.Background(), i.manifest, layersOf)
		if removed != (err == nil) {
			return errors.Join(err, errors.New("removed contradicts err"))
		}
		return err
	}},
	{"Prune", func(c *Cache, i item) error {
		r, err := c.Prune(context.Background(), PruneOptions{OlderThan: new(time.Duration)})
		for _, skipped := range r.Skipped {
			err = errors.Join(err, skipped.Err)
		}
		return err
	}},
}

// newRemovable returns an entry that every remover finds cause to remove:
// its metadata is another's, and the clock is ahead of its files.
func newRemovable(t *testing.T) (*Cache, item) {
	t.Helper()
	c, i := newEntry(t)
	i.spoil(t, c)
	return c, i
}

// spoil makes an entry corrupt and old.
func (i item) spoil(t *testing.T, c *Cache) {
	t.Helper()
	writeFile(t, i.path(c, "metadata.json"), []byte(i.with("resolved_digest", `"x"`)))
	i.usedAt(t, c, time.Unix(1_000, 0))
}

// wantGone fails unless of the item's entry only the lock is left.
func (i item) wantGone(t *testing.T, c *Cache) {
	t.Helper()
	wantTree(t, c.Root(), ".locks", ".locks/"+i.manifest.Hex()+".lock")
}

func TestRemove(t *testing.T) {
	for _, test := range removers {
		t.Run(test.name, func(t *testing.T) {
			c, i := newRemovable(t)
			writeFile(t, i.path(c, tempName), nil)
			must(t, os.Chtimes(i.path(c, tempName), time.Unix(1_000, 0), time.Unix(1_000, 0)))
			must(t, test.remove(c, i))
			i.wantGone(t, c)
			if err := c.Remove(i.manifest); !IsMissing(err) {
				t.Errorf("removed again: %v, want fs.ErrNotExist", err)
			}
			must(t, i.publish(c, mustLock(t, c, i.manifest)))
			i.wantHit(t, c)
		})
	}
}

// TestRemoveParts is about entries that are not whole.
func TestRemoveParts(t *testing.T) {
	for _, names := range [][]string{
		{}, {tempName}, {"manifest.json"}, {"metadata.json"}, {"pack.gtpack"}, {"metadata.json", "pack.gtpack"},
	} {
		c, i := newCache(t), newItem("a")
		must(t, os.MkdirAll(i.dir(c), 0o777))
		for _, name := range names {
			writeFile(t, i.path(c, name), []byte("x"))
		}
		must(t, c.Remove(i.manifest))
		i.wantGone(t, c)
	}
}

// TestRemoveForeign sees that of an entry with something else in it nothing is
// removed, old and corrupt as it may be.
func TestRemoveForeign(t *testing.T) {
	for _, test := range removers {
		for _, name := range []string{"note", "pack.gtpack.part", ".packvendor.tmp", "sub/note", tempName + "/note"} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				c, i := newRemovable(t)
				writeFile(t, i.path(c, name), []byte("foreign"))
				before := tree(t, i.dir(c))
				err := test.remove(c, i)
				if want := "remove " + i.dir(c) + ": holds files that are not the cache's"; !errors.Is(err, ErrForeign) || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
				if after := tree(t, i.dir(c)); after != before {
					t.Errorf("the entry holds %s, want %s", after, before)
				}
				if !tryLock(t, c.Root(), i).Held() {
					t.Error("the lock was kept")
				}
			})
		}
	}
}

// TestRemoveBusy sees that a lock that is held is neither waited for nor
// ignored, and that its file stays.
func TestRemoveBusy(t *testing.T) {
	for _, test := range removers {
		t.Run(test.name, func(t *testing.T) {
			c, i := newRemovable(t)
			lock := mustLock(t, c, i.manifest)
			before := tree(t, c.Root())
			err := test.remove(c, i)
			if want := "remove " + i.dir(c) + ": in use by another process"; !errors.Is(err, ErrBusy) || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			if after := tree(t, c.Root()); after != before {
				t.Errorf("the cache holds %s, want %s", after, before)
			}
			lock.Unlock()
			must(t, test.remove(c, i))
			i.wantGone(t, c)
		})
	}
}

// TestRemoveMissing sees that nothing is made for an entry that is not there.
func TestRemoveMissing(t *testing.T) {
	c, i := newCache(t), newItem("a")
	if err := c.Remove(i.manifest); !IsMissing(err) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Lstat(c.Root()); !IsMissing(err) {
		t.Errorf("the root was made: %v", err)
	}
	writeFile(t, i.dir(c), []byte("victim"))
	wantCorrupt(t, c.Remove(i.manifest), i.dir(c), "not a directory")
	wantTree(t, c.Root(), i.manifest.Hex())
	wantFile(t, i.dir(c), []byte("victim"))
}

// TestFault41_RemoveWithoutLocks is about file systems without locks: entries
// go, but for temporaries, which may be another process's.
func TestFault41_RemoveWithoutLocks(t *testing.T) {
	for _, test := range removers {
		c, i := newRemovable(t)
		hex := i.manifest.Hex()
		writeFile(t, i.path(c, tempName), nil)
		must(t, os.Chtimes(i.path(c, tempName), time.Unix(1_000, 0), time.Unix(1_000, 0)))
		writeFile(t, filepath.Join(c.Root(), ".locks"), nil)
		must(t, test.remove(c, i))
		wantTree(t, c.Root(), ".locks", hex, hex+"/"+tempName)
	}
}

// TestRemoveWhileDrafted removes an entry that is being written without the
// lock, as by someone who has waited for it long enough: it comes into being.
func TestRemoveWhileDrafted(t *testing.T) {
	c, i := newEntry(t)
	writeFile(t, filepath.Join(c.Root(), ".locks"), nil) // else the draft's temporary is swept
	draft, err := c.Draft(i.manifest, nil)
	must(t, err)
	defer draft.Discard()
	_, err = draft.Write(i.pack)
	must(t, err)
	must(t, c.Remove(i.manifest))
	must(t, draft.Publish(i.body, i.metadata()))
	i.wantHit(t, c)
}

// TestRemoveWhileRead sees that whoever reads a pack gets all of it.
func TestRemoveWhileRead(t *testing.T) {
	c, i := newEntry(t)
	w := &hooked{n: 2, hook: func() {
		if err := c.Remove(i.manifest); err != nil {
			t.Skip("open files cannot be removed here: ", err)
		}
	}}
	must(t, c.Pack(context.Background(), i.manifest, i.content(), w))
	if !bytes.Equal(w.Bytes(), i.pack) {
		t.Error("other bytes were read")
	}
	i.wantGone(t, c)
}

// TestRemoveAtOnce has many publish, under the lock, what others remove and
// others again read. All that is published stays until it is removed, and all
// that is read is right.
func TestRemoveAtOnce(t *testing.T) {
	const each, runs = 4, 10
	c, i := newCache(t), newItem("a")
	errs := make(chan error)
	work := func(f func(*Cache) error) {
		var err error
		for n := 0; n < runs && err == nil; n++ {
			err = f(cacheAt(c.Root()))
		}
		errs <- err
	}
	publish := func(c *Cache) error {
		lock, err := c.Lock(context.Background(), i.manifest, nil)
		if err != nil {
			return err
		}
		defer lock.Unlock()
		if err := i.publish(c, lock); err != nil {
			return err
		}
		return c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer))
	}
	remove := func(c *Cache) error { return unless(c.Remove(i.manifest), fs.ErrNotExist, ErrBusy) }
	read := func(c *Cache) error {
		return unless(c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer)), fs.ErrNotExist)
	}
	for range each {
		go work(publish)
		go work(remove)
		go work(read)
	}
	for range 3 * each {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	must(t, publish(c))
	i.wantHit(t, c)
	must(t, remove(c))
	i.wantGone(t, c)
}

// unless returns err, or nil if it is one of those that may be.
func unless(err error, may ...error) error {
	for _, one := range may {
		if errors.Is(err, one) {
			return nil
		}
	}
	return err
}

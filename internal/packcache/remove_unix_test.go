//go:build unix

package packcache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// wantUntouched fails unless what stood at path still does.
func wantUntouched(t *testing.T, path string, before os.FileInfo) {
	t.Helper()
	after, err := os.Lstat(path)
	if err != nil || !os.SameFile(before, after) || before.Mode() != after.Mode() || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("what stood at %s does not any more: %v", path, err)
	}
}

// TestFault38_RemoveIntruder puts what is no file in the place of each file,
// and of a temporary: the entry counts as foreign and nothing in it is removed.
func TestFault38_RemoveIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		for _, name := range []string{"pack.gtpack", "manifest.json", "metadata.json", tempName} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				c, i := newRemovable(t)
				victim := filepath.Join(t.TempDir(), "victim")
				writeFile(t, victim, []byte("victim"))
				os.Remove(i.path(c, name))
				intrude(t, i.path(c, name), victim)
				before, err := os.Lstat(i.path(c, name))
				must(t, err)
				within(t, "listing", func() {
					entries, foreign, err := c.List()
					if err != nil || len(entries) != 1 || foreign != nil || len(entries[0].Foreign) != 1 || entries[0].Foreign[0] != name {
						t.Errorf("List: %s, %q, %v", flat(entries), foreign, err)
					}
				})
				if name != tempName {
					within(t, "checking", func() {
						err := c.Check(context.Background(), i.manifest, layersOf)
						if name == "pack.gtpack" || name == "manifest.json" {
							wantCorrupt(t, err, i.path(c, name), "not a regular file")
						}
						if err == nil {
							t.Error("Check returns nil")
						}
					})
				}
				for _, test := range removers {
					within(t, test.name, func() {
						if err := test.remove(c, i); !errors.Is(err, ErrForeign) {
							t.Errorf("%s: %v, want ErrForeign", test.name, err)
						}
					})
				}
				c.now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
				within(t, "recording a use", func() { c.markUsed(i.manifest) })
				wantUntouched(t, i.path(c, name), before)
				wantFile(t, victim, []byte("victim"))
				wantTree(t, filepath.Dir(victim), "victim")
			})
		}
	}
}

// TestFault38_RemoveEntryIntruder does the same in the place of an entry, and
// of a folder in the root that is none.
func TestFault38_RemoveEntryIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		if kind == "directory" || kind == "directory with a file" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			c, i := newRemovable(t)
			victim := filepath.Join(t.TempDir(), "victim")
			must(t, os.Rename(i.dir(c), victim))
			contents := tree(t, victim)
			intrude(t, i.dir(c), victim)
			before, err := os.Lstat(i.dir(c))
			must(t, err)
			within(t, "listing", func() { wantList(t, c, nil, []string{i.manifest.Hex()}) })
			within(t, "checking", func() {
				wantCorrupt(t, c.Check(context.Background(), i.manifest, layersOf), i.dir(c), "not a directory")
			})
			for _, test := range removers {
				within(t, test.name, func() {
					if err := test.remove(c, i); test.name == "Prune" {
						must(t, err) // it is no entry
					} else {
						wantCorrupt(t, err, i.dir(c), "not a directory")
					}
				})
			}
			c.now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
			within(t, "recording a use", func() { c.markUsed(i.manifest) })
			wantUntouched(t, i.dir(c), before)
			if after := tree(t, victim); after != contents {
				t.Errorf("the victim holds %s, want %s", after, contents)
			}
		})
	}
}

// TestFault38_RootIsIntruder is about roots that are no directory: nothing
// waits for a FIFO. A dangling link is an empty cache.
func TestFault38_RootIsIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		c, i := newCache(t), newItem("a")
		intrude(t, c.Root(), filepath.Join(t.TempDir(), "victim"))
		within(t, kind, func() {
			_, _, err := c.List()
			if fine := kind == "dangling symlink" || kind == "symlink to a right file" || kind == "directory" || kind == "directory with a file"; fine != (err == nil) {
				t.Errorf("%s: List: %v", kind, err)
			}
			for _, err := range []error{c.Remove(i.manifest), c.Check(context.Background(), i.manifest, layersOf)} {
				if err == nil {
					t.Errorf("%s: there is an entry", kind)
				}
			}
		})
	}
}

// TestFault38_RemoveInLinkedRoot is about the one link that is followed.
func TestFault38_RemoveInLinkedRoot(t *testing.T) {
	for _, test := range removers {
		real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
		must(t, os.Symlink(real, link))
		c, i := cacheAt(link), newItem("a")
		must(t, i.publish(c, nil))
		i.spoil(t, c)
		if entries, _, err := c.List(); err != nil || len(entries) != 1 {
			t.Errorf("List: %s, %v", flat(entries), err)
		}
		must(t, test.remove(c, i))
		i.wantGone(t, cacheAt(real))
		if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
			t.Errorf("the link is not one any more: %v", err)
		}
	}
}

// TestRemoveDir sees that a link which took an empty directory's place stays.
func TestRemoveDir(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(real, link))
	if err := removeDir(link); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a link: %v, want ENOTDIR", err)
	}
	must(t, removeDir(real))
	if _, err := os.Lstat(link); err != nil {
		t.Error(err)
	}
}

// swap puts a link to victim in the place of a directory, once, when it was looked
// at for the nth time and is not opened yet. link is where it stands then, and
// swapped tells whether it does.
func swap(t *testing.T, c *Cache, dir, victim string, nth int) (link string, swapped func() bool) {
	t.Helper()
	looks := 0
	c.looked = func(path string) {
		if path != dir {
			return
		}
		if looks++; looks == nth {
			must(t, os.Rename(dir, dir+".aside"))
			must(t, os.Symlink(victim, dir))
		}
	}
	return dir, func() bool { return looks >= nth }
}

// wantLink fails unless path is a link to target.
func wantLink(t *testing.T, path, target string) {
	t.Helper()
	if got, err := os.Readlink(path); err != nil || got != target {
		t.Errorf("%s is a link to %q, %v, want %q", path, got, err, target)
	}
}

// TestFault38_SwappedWhileRead swaps the entry for a link to another right entry in
// the moment between the look at it and its opening: it is not read.
func TestFault38_SwappedWhileRead(t *testing.T) {
	for _, reader := range readers {
		c, i := newEntry(t)
		victim := filepath.Join(t.TempDir(), "victim")
		must(t, os.CopyFS(victim, os.DirFS(i.dir(c))))
		link, swapped := swap(t, c, i.dir(c), victim, 1)
		wantCorrupt(t, reader.read(c, i), i.dir(c), "not a directory")
		if !swapped() {
			t.Errorf("%s: the entry was not looked at", reader.name)
		}
		wantLink(t, link, victim)
	}
}

// TestEntryMadeAnewWhileRead has the entry removed and made anew in that moment:
// the new one is read.
func TestEntryMadeAnewWhileRead(t *testing.T) {
	for _, reader := range readers {
		c, i := newEntry(t)
		looks := 0
		c.looked = func(string) {
			if looks++; looks == 1 {
				must(t, os.Rename(i.dir(c), i.dir(c)+".old"))
				must(t, os.CopyFS(i.dir(c), os.DirFS(i.dir(c)+".old")))
			}
		}
		if err := reader.read(c, i); err != nil || looks < 2 {
			t.Errorf("%s: %v after %d looks", reader.name, err, looks)
		}
	}
}

// TestFault38_SwappedWhileRemoved swaps the entry for a link whenever it is looked
// at while it is removed: what the link leads to stays whole, and the link itself.
func TestFault38_SwappedWhileRemoved(t *testing.T) {
	for _, test := range removers {
		for nth := 1; ; nth++ {
			c, i := newRemovable(t)
			i.spoil(t, c)
			victim := filepath.Join(t.TempDir(), "victim")
			must(t, os.CopyFS(victim, os.DirFS(i.dir(c))))
			contents := tree(t, victim)
			link, swapped := swap(t, c, i.dir(c), victim, nth)
			err := test.remove(c, i)
			if !swapped() {
				must(t, err)
				if nth < 4 {
					t.Errorf("%s looks at the entry %d times only", test.name, nth-1)
				}
				break
			}
			if test.name != "Prune" {
				wantCorrupt(t, err, i.dir(c), "not a directory")
			}
			wantLink(t, link, victim)
			if after := tree(t, victim); after != contents {
				t.Errorf("%s: the victim holds %s, want %s", test.name, after, contents)
			}
		}
	}
}

// TestRemoveBetweenProcesses has another process hold an entry's lock: it stays
// until the process ends, in whatever way, and Prune goes on with the next.
func TestRemoveBetweenProcesses(t *testing.T) {
	c, i := newRemovable(t)
	next := newItem("b")
	must(t, next.publish(c, nil))
	next.usedAt(t, c, time.Unix(2_000, 0))
	holder := startHolder(t, c, i)
	must(t, holder.Process.Signal(syscall.SIGSTOP))
	for _, test := range removers[:2] {
		if err := test.remove(c, i); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v, want ErrBusy", test.name, err)
		}
	}
	r, err := c.Prune(context.Background(), PruneOptions{MaxSize: new(int64)})
	must(t, err)
	if len(r.Removed) != 1 || r.Removed[0].Manifest != next.manifest || len(r.Skipped) != 1 || !errors.Is(r.Skipped[0].Err, ErrBusy) {
		t.Errorf("Prune = %+v", r)
	}
	if r.Left != r.Skipped[0].Entry.Size {
		t.Errorf("%d bytes are left, want %d", r.Left, r.Skipped[0].Entry.Size)
	}
	wantFile(t, i.path(c, "pack.gtpack"), i.pack)
	must(t, holder.Process.Kill())
	holder.Wait()
	must(t, c.Remove(i.manifest))
	if _, err := os.Lstat(i.dir(c)); !IsMissing(err) {
		t.Errorf("the entry is still there: %v", err)
	}
}

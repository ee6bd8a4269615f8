//go:build unix

package packcache

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// intruders are things that are not files, made at path. Victim is the path of
// a right pack, or of the file of that name, outside the cache.
var intruders = map[string]func(t *testing.T, path, victim string){
	"symlink to a right file": func(t *testing.T, path, victim string) { must(t, os.Symlink(victim, path)) },
	"dangling symlink":        func(t *testing.T, path, victim string) { must(t, os.Symlink(victim+".missing", path)) },
	"symlink to itself":       func(t *testing.T, path, _ string) { must(t, os.Symlink(filepath.Base(path), path)) },
	"symlink to a device":     func(t *testing.T, path, _ string) { must(t, os.Symlink("/dev/zero", path)) },
	"FIFO":                    func(t *testing.T, path, _ string) { must(t, syscall.Mkfifo(path, 0o666)) },
	"socket":                  listen,
	"directory":               func(t *testing.T, path, _ string) { must(t, os.Mkdir(path, 0o777)) },
	"directory with a file":   func(t *testing.T, path, _ string) { writeFile(t, filepath.Join(path, "x"), nil) },
}

// listen makes a socket, by way of a short name: theirs are bounded.
func listen(t *testing.T, path, _ string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	must(t, os.Rename(filepath.Join(dir, "s"), path))
}

// TestFault38_Intruder puts what is no file in the place of each file: it is
// neither followed nor waited for, and reported as corrupt.
func TestFault38_Intruder(t *testing.T) {
	for kind, intrude := range intruders {
		for _, reader := range readers {
			t.Run(kind+"/"+reader.name, func(t *testing.T) {
				c, i := newEntry(t)
				victim := filepath.Join(t.TempDir(), "victim")
				right, err := os.ReadFile(i.path(c, reader.file))
				must(t, err)
				writeFile(t, victim, right)
				must(t, os.Remove(i.path(c, reader.file)))
				intrude(t, i.path(c, reader.file), victim)
				before, err := os.Lstat(i.path(c, reader.file))
				must(t, err)
				within(t, reader.name, func() {
					wantCorrupt(t, reader.read(c, i), i.path(c, reader.file), "not a regular file")
				})
				after, err := os.Lstat(i.path(c, reader.file))
				if err != nil || !os.SameFile(before, after) {
					t.Errorf("what stood there does not any more: %v", err)
				}
				within(t, "publishing", func() {
					if err := i.publish(c, nil); before.IsDir() != (err != nil) {
						t.Errorf("Publish: %v", err)
					}
				})
				if !before.IsDir() {
					i.wantHit(t, c)
				}
				wantFile(t, victim, right)
				wantTree(t, filepath.Dir(victim), "victim")
				if temps, _ := filepath.Glob(filepath.Join(i.dir(c), ".*")); len(temps) > 0 {
					t.Errorf("temporaries %q are left", temps)
				}
			})
		}
	}
}

// TestFault38_EntryIntruder does the same in the place of the entry, which is
// neither read nor written then.
func TestFault38_EntryIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		if kind == "directory" || kind == "directory with a file" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			c, i := newEntry(t)
			victim := filepath.Join(t.TempDir(), "victim")
			must(t, os.Rename(i.dir(c), victim))
			intrude(t, i.dir(c), victim)
			for _, reader := range readers {
				within(t, reader.name, func() { wantCorrupt(t, reader.read(c, i), i.dir(c), "not a directory") })
			}
			lock := mustLock(t, c, i.manifest)
			within(t, "publishing", func() { wantCorrupt(t, i.publish(c, lock), i.dir(c), "not a directory") })
			within(t, "healing", func() { wantCorrupt(t, c.Heal(i.manifest, lock, i.body, nil), i.dir(c), "not a directory") })
			wantTree(t, filepath.Dir(victim), "victim", "victim/manifest.json", "victim/metadata.json", "victim/pack.gtpack")
		})
	}
}

// TestFault38_RootIsSymlink is about the one link that is followed.
func TestFault38_RootIsSymlink(t *testing.T) {
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(real, link))
	c, i := cacheAt(link), newItem("a")
	must(t, i.publish(c, mustLock(t, c, i.manifest)))
	i.wantHit(t, c)
	i.wantHit(t, cacheAt(real))
	wantFile(t, filepath.Join(real, i.manifest.Hex(), "pack.gtpack"), i.pack)
}

// TestFault38_LockIntruder puts what is no file in the lock's place: Lock goes
// on without it, or with it, but does not wait for ever and makes nothing
// outside the cache.
func TestFault38_LockIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		t.Run(kind, func(t *testing.T) {
			c, i := newCache(t), newItem("a")
			victim := filepath.Join(t.TempDir(), "victim")
			writeFile(t, victim, []byte("victim"))
			must(t, os.MkdirAll(filepath.Join(c.Root(), ".locks"), 0o777))
			path := filepath.Join(c.Root(), ".locks", i.manifest.Hex()+".lock")
			intrude(t, path, victim)
			// A reader that waits for a FIFO's writer is let go in the end.
			t.Cleanup(func() {
				if file, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
					file.Close()
				}
			})
			within(t, "Lock", func() {
				lock, err := c.Lock(context.Background(), i.manifest, func() { t.Error("waiting is announced") })
				if err != nil {
					t.Error(err)
				}
				lock.Unlock()
			})
			wantFile(t, victim, []byte("victim"))
			wantTree(t, filepath.Dir(victim), "victim")
		})
	}
}

// TestFault62_LocksIntruder puts what is no directory, or a link to one, in the place
// of the locks' directory: it is not followed, nothing is made elsewhere, and all goes
// on without the lock.
func TestFault62_LocksIntruder(t *testing.T) {
	for kind, intrude := range intruders {
		if kind == "directory" || kind == "directory with a file" {
			continue
		}
		t.Run(kind, func(t *testing.T) { wantNotFollowed(t, intrude) })
	}
	for kind, target := range map[string]string{"an entry": "entry", "the root": ".", "the victim": "victim"} {
		t.Run("symlink to "+kind, func(t *testing.T) {
			wantNotFollowed(t, func(t *testing.T, path, victim string) {
				switch kind {
				case "the victim":
					target = filepath.Dir(victim)
				case "an entry":
					must(t, os.Mkdir(filepath.Join(filepath.Dir(path), target), 0o777))
				}
				must(t, os.Symlink(target, path))
			})
		})
	}
}

// wantNotFollowed fails unless what stands in the place of the locks' directory, and
// what that leads to, stay as they are.
func wantNotFollowed(t *testing.T, intrude func(t *testing.T, path, victim string)) {
	t.Helper()
	c, i := newCache(t), newItem("a")
	victim := filepath.Join(t.TempDir(), "victim")
	writeFile(t, victim, []byte("victim"))
	must(t, os.MkdirAll(c.Root(), 0o777))
	path := filepath.Join(c.Root(), ".locks")
	intrude(t, path, victim)
	before, err := os.Lstat(path)
	must(t, err)
	contents := tree(t, c.Root())
	within(t, "Lock", func() { wantNoLock(t, c, i) })
	wantUntouched(t, path, before)
	wantFile(t, victim, []byte("victim"))
	wantTree(t, filepath.Dir(victim), "victim")
	if after := tree(t, c.Root()); after != contents {
		t.Errorf("the root holds %s, want %s", after, contents)
	}
	must(t, i.publish(c, nil))
	i.wantHit(t, c)
	within(t, "Remove", func() { must(t, c.Remove(i.manifest)) })
	wantTree(t, filepath.Dir(victim), "victim")
}

// TestFault62_LocksElsewhere has the locks' directory a link to one that has the
// lock's file already: that is not locked.
func TestFault62_LocksElsewhere(t *testing.T) {
	c, i := newCache(t), newItem("a")
	elsewhere := newCache(t)
	mustLock(t, elsewhere, i.manifest).Unlock()
	must(t, os.Mkdir(c.Root(), 0o777))
	must(t, os.Symlink(filepath.Join(elsewhere.Root(), ".locks"), filepath.Join(c.Root(), ".locks")))
	wantNoLock(t, c, i)
}

// TestFault62_LocksSwapped swaps the locks' directory for a link in the moment between
// the look at it and its opening.
func TestFault62_LocksSwapped(t *testing.T) {
	c, i := newCache(t), newItem("a")
	victim, locks := t.TempDir(), filepath.Join(c.Root(), ".locks")
	must(t, os.MkdirAll(locks, 0o777))
	link, swapped := swap(t, c, locks, victim, 1)
	wantNoLock(t, c, i)
	if !swapped() {
		t.Error("the directory was not looked at")
	}
	wantLink(t, link, victim)
	wantTree(t, victim)
}

// TestFault62_LockReplaced has the lock's file replaced before it is locked: whoever
// comes next would lock the new one, so that the old one is no lock.
func TestFault62_LockReplaced(t *testing.T) {
	c, i := newCache(t), newItem("a")
	mustLock(t, c, i.manifest).Unlock()
	file, info, err := c.lockFile(i.manifest)
	must(t, err)
	path := filepath.Join(c.Root(), ".locks", i.manifest.Hex()+".lock")
	must(t, os.Rename(path, path+".old"))
	writeFile(t, path, nil)
	held, err := file.TryLock()
	must(t, err)
	if lock := newLock(file, info, held); !held || lock.Held() {
		t.Errorf("locked %t, Held() %t, want another file to be no lock", held, lock.Held())
	}
	mustLock(t, c, i.manifest) // the other file's lock was given back
}

// TestFault38_Swapped swaps the pack for a FIFO or a link and back while it is
// read: the reader gets its bytes or an error, and does not hang.
func TestFault38_Swapped(t *testing.T) {
	c, i := newCache(t), newItem("a")
	i.pack = i.pack[:100] // soon read, so that most of the time is that of opening
	must(t, i.publish(c, nil))
	pack, right, next := c.PackPath(i.manifest), filepath.Join(c.Root(), "right"), filepath.Join(c.Root(), "next")
	victim := filepath.Join(t.TempDir(), "victim")
	writeFile(t, victim, []byte("victim"))
	must(t, os.Link(pack, right))
	ctx, cancel := context.WithCancel(context.Background())
	swaps := make(chan error)
	go func() {
		var err error
		for n := 0; ctx.Err() == nil && err == nil; n++ {
			switch n % 4 {
			case 0:
				err = syscall.Mkfifo(next, 0o666)
			case 2:
				err = os.Symlink(victim, next)
			default:
				err = os.Link(right, next)
			}
			err = errors.Join(err, os.Rename(next, pack))
		}
		swaps <- err
	}()
	within(t, "Measure", func() {
		for range 10_000 {
			if got, err := c.Measure(context.Background(), i.manifest, anySize); err == nil && got != i.content() {
				t.Errorf("Measure = %+v", got)
			}
		}
	})
	cancel()
	must(t, <-swaps)
}

// TestFault43_Modes looks at all that is made, under several umasks. The umask
// is the process's: no test here is parallel.
func TestFault43_Modes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o027, 0o077} {
		c, i := newCache(t), newItem("a")
		old := syscall.Umask(umask)
		lock, err := c.Lock(context.Background(), i.manifest, nil)
		if err == nil {
			err = i.publish(c, lock)
			lock.Unlock()
		}
		syscall.Umask(old)
		must(t, err)
		seen := 0
		must(t, filepath.WalkDir(c.Root(), func(path string, entry fs.DirEntry, err error) error {
			must(t, err)
			info, err := entry.Info()
			must(t, err)
			seen++
			want := fs.FileMode(0o666 &^ umask)
			if entry.IsDir() {
				want = fs.ModeDir | fs.FileMode(0o777&^umask)
			}
			if info.Mode() != want {
				t.Errorf("umask %03o: %s has mode %v, want %v", umask, path, info.Mode(), want)
			}
			if stat := info.Sys().(*syscall.Stat_t); !entry.IsDir() && stat.Nlink != 1 {
				t.Errorf("%s has %d links", path, stat.Nlink)
			}
			return nil
		}))
		if seen != 7 {
			t.Errorf("%d files and directories, want 7", seen)
		}
		i.wantHit(t, c)
	}
}

package packcache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// unprivileged runs f as somebody for whom modes count and who owns nothing in
// dir, which is t.TempDir's. If root runs the tests, that is f's thread alone.
func unprivileged(t *testing.T, dir string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	const nobody = 65534
	refused := false
	done := make(chan bool)
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
		syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		now, _, _ := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		if _, err := os.ReadDir(dir); now != nobody || err != nil {
			refused = true
			return
		}
		f()
	}()
	if <-done; refused {
		t.Skip("root cannot become somebody else here")
	}
}

// readOnly takes the right to write from a directory and all below it.
func readOnly(t *testing.T, root string) {
	t.Helper()
	must(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			t.Cleanup(func() { os.Chmod(path, 0o755) })
			return os.Chmod(path, 0o555)
		}
		return err
	}))
}

// TestFault42_ReadOnlyCache sees that hits still work, with no lock, and that
// whoever wants to write is told at once and where.
func TestFault42_ReadOnlyCache(t *testing.T) {
	dir := t.TempDir()
	c, i, other := cacheAt(filepath.Join(dir, "cache")), newItem("a"), newItem("b")
	must(t, i.publish(c, nil))
	readOnly(t, dir)
	nowhere := cacheAt(filepath.Join(dir, "new", "cache"))
	unprivileged(t, dir, func() {
		wantNoLock(t, c, i)
		wantNoLock(t, nowhere, i)
		i.wantHit(t, c)
		for want, write := range map[string]func() error{
			"mkdir " + other.dir(c) + ": permission denied":                func() error { return other.publish(c, nil) },
			"create " + i.path(c, "pack.gtpack") + ": permission denied":   func() error { return i.publish(c, nil) },
			"create " + i.path(c, "manifest.json") + ": permission denied": func() error { return c.Heal(i.manifest, nil, i.body, nil) },
			"mkdir " + filepath.Join(dir, "new") + ": permission denied":   func() error { return i.publish(nowhere, nil) },
			"mkdir " + newItem("c").dir(c) + ": permission denied":         func() error { return c.Heal(newItem("c").manifest, nil, i.body, nil) },
		} {
			if err := write(); err == nil || err.Error() != want || !errors.Is(err, fs.ErrPermission) {
				t.Errorf("error\n got: %v\nwant: %s", err, want)
			}
		}
	})
	wantTree(t, c.Root(), i.manifest.Hex(), i.manifest.Hex()+"/manifest.json", i.manifest.Hex()+"/metadata.json", i.manifest.Hex()+"/pack.gtpack")
}

// TestFault42_RemoveReadOnly sees that hits, lists and checks need no right to
// write, and that what cannot be removed is told, and stays as it is.
func TestFault42_RemoveReadOnly(t *testing.T) {
	for _, test := range removers {
		dir := t.TempDir()
		c, i := cacheAt(filepath.Join(dir, "cache")), newItem("a")
		must(t, i.publish(c, nil))
		i.spoil(t, c)
		i.hit(t, c) // which is noted, by the owner; the next one is not
		before := tree(t, c.Root())
		readOnly(t, dir)
		unprivileged(t, dir, func() {
			i.hit(t, c)
			entries, _, err := c.List()
			if err != nil || len(entries) != 1 {
				t.Errorf("List: %s, %v", flat(entries), err)
			}
			wantCorrupt(t, c.Check(context.Background(), i.manifest, layersOf), i.path(c, "metadata.json"), "resolved_digest is not that of the entry")
			err = test.remove(c, i)
			if want := "remove " + i.path(c, "pack.gtpack") + ": permission denied"; !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %s", test.name, err, want)
			}
		})
		must(t, filepath.WalkDir(c.Root(), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				return os.Chmod(path, 0o755)
			}
			return err
		}))
		if after := tree(t, c.Root()); after != before {
			t.Errorf("%s: the cache holds %s, want %s", test.name, after, before)
		}
	}
}

// TestFault42_RemoveReadOnlyRoot is about a root in which nothing can be
// removed, but in its entries: one without a lock loses its files, and then it
// is told where that ended.
func TestFault42_RemoveReadOnlyRoot(t *testing.T) {
	dir := t.TempDir()
	c, i := cacheAt(filepath.Join(dir, "cache")), newItem("a")
	must(t, i.publish(c, nil))
	readOnly(t, dir)
	must(t, os.Chmod(i.dir(c), 0o777))
	unprivileged(t, dir, func() {
		err := c.Remove(i.manifest)
		if want := "remove " + i.dir(c) + ": permission denied"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	})
	wantTree(t, c.Root(), i.manifest.Hex())
}

// TestPruneGoesOn is about a cache in which two entries are somebody else's:
// the rest is removed all the same, and the error is about the first of them.
func TestPruneGoesOn(t *testing.T) {
	dir := t.TempDir()
	c, items := newOldCacheAt(t, filepath.Join(dir, "cache"))
	must(t, os.Chmod(c.Root(), 0o777))
	for _, name := range []string{"a", "c", "e", "f"} {
		must(t, os.Chmod(items[name].dir(c), 0o777))
	}
	for _, name := range []string{"b", "d"} { // for their owner, too, who may run the test
		dir := items[name].dir(c)
		must(t, os.Chmod(dir, 0o555))
		t.Cleanup(func() { os.Chmod(dir, 0o755) })
	}
	unprivileged(t, dir, func() {
		r, err := c.Prune(context.Background(), PruneOptions{MaxSize: packs(2)})
		want := "remove " + items["d"].path(c, "pack.gtpack") + ": permission denied"
		if err == nil || err.Error() != want || len(r.Skipped) != 2 || r.Skipped[0].Err.Error() != want {
			t.Errorf("%v, skipped %v, want %s", err, r.Skipped, want)
		}
		if got := pruned(t, r, items); got != "a c e f !d !b" {
			t.Errorf("removed %q", got)
		}
	})
}

// TestListUnreadable sees that an entry of somebody else's is left out of the
// list, and told of.
func TestListUnreadable(t *testing.T) {
	for _, mode := range []fs.FileMode{0, 0o111, 0o444} {
		dir := t.TempDir()
		c, items := newOldCacheAt(t, filepath.Join(dir, "cache"))
		locked := items["c"].dir(c)
		must(t, os.Chmod(locked, mode))
		t.Cleanup(func() { os.Chmod(locked, 0o755) })
		unprivileged(t, dir, func() {
			entries, foreign, err := c.List()
			if want := "open " + locked + ": permission denied"; err == nil || err.Error() != want || len(entries) != len(old)-1 || foreign != nil {
				t.Errorf("mode %03o: %d entries, %q, %v, want %s", mode, len(entries), foreign, err, want)
			}
			r, pruneErr := c.Prune(context.Background(), PruneOptions{OlderThan: days(30), DryRun: true})
			if len(r.Removed) != 2 || pruneErr == nil || pruneErr.Error() != err.Error() {
				t.Errorf("mode %03o: Prune removes %s, %v, want %v", mode, flat(r.Removed), pruneErr, err)
			}
			for _, err := range []error{c.Remove(items["c"].manifest), c.Check(context.Background(), items["c"].manifest, layersOf)} {
				if !errors.Is(err, fs.ErrPermission) {
					t.Errorf("mode %03o: %v, want fs.ErrPermission", mode, err)
				}
			}
		})
	}
}

// TestUnreadable is about files of somebody else: they are neither missing nor
// corrupt, and the error names them in full.
func TestUnreadable(t *testing.T) {
	for _, name := range []string{"", "pack.gtpack", "manifest.json", "metadata.json"} {
		dir := t.TempDir()
		c, i := cacheAt(filepath.Join(dir, "cache")), newItem("a")
		must(t, i.publish(c, nil))
		path := i.path(c, name)
		must(t, os.Chmod(path, 0))
		t.Cleanup(func() { os.Chmod(path, 0o755) })
		unprivileged(t, dir, func() {
			for _, reader := range readers {
				err := reader.read(c, i)
				if name != "" && name != reader.file {
					if err != nil {
						t.Errorf("%s: %v", reader.name, err)
					}
					continue
				}
				var corrupt *CorruptError
				if !errors.Is(err, fs.ErrPermission) || IsMissing(err) || errors.As(err, &corrupt) {
					t.Errorf("%s: error %#v, want fs.ErrPermission", reader.name, err)
				} else if !strings.Contains(err.Error(), path) {
					t.Errorf("%s: error %q does not name %s", reader.name, err, path)
				}
			}
		})
	}
}

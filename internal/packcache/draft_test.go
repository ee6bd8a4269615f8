package packcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/greenticai/packvendor/internal/atomicfile"
)

// TestPublishOrder puts a directory in the place of each file, which the
// rename onto it cannot replace: what was renamed before is there and right,
// what comes after is not.
func TestPublishOrder(t *testing.T) {
	for _, test := range []struct {
		blocked string
		tree    []string
	}{
		{"manifest.json", []string{"manifest.json"}},
		{"metadata.json", []string{"manifest.json", "metadata.json"}},
		{"pack.gtpack", []string{"manifest.json", "metadata.json", "pack.gtpack"}},
	} {
		t.Run(test.blocked, func(t *testing.T) {
			c, i := newCache(t), newItem("a")
			must(t, os.MkdirAll(i.path(c, test.blocked), 0o777))
			err := i.publish(c, nil)
			if want := "rename " + i.path(c, test.blocked) + ": file exists"; err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			wantTree(t, i.dir(c), test.tree...)
			for _, reader := range readers {
				err := reader.read(c, i)
				switch position := len(test.tree); {
				case reader.file == test.blocked:
					wantCorrupt(t, err, i.path(c, reader.file), "not a regular file")
				case reader.file == "manifest.json" && position > 1, reader.file == "metadata.json" && position > 2:
					must(t, err)
				case !IsMissing(err):
					t.Errorf("%s: %v, want it missing", reader.name, err)
				}
			}
		})
	}
}

// TestDraft sees that nothing of a draft shows before Publish, an older entry
// included, and nothing is left of one that was discarded.
func TestDraft(t *testing.T) {
	c, i := newEntry(t)
	draft, err := c.Draft(i.manifest, nil)
	must(t, err)
	if n, err := draft.Write([]byte("half a pack")); n != 11 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	i.wantHit(t, c)
	draft.Discard()
	draft.Discard()
	wantTree(t, i.dir(c), "manifest.json", "metadata.json", "pack.gtpack")
	i.wantHit(t, c)
}

func TestDraftReset(t *testing.T) {
	c, i := newCache(t), newItem("a")
	draft, err := c.Draft(i.manifest, nil)
	must(t, err)
	defer draft.Discard()
	for _, data := range [][]byte{bytes.Repeat(i.pack, 2), i.pack} {
		must(t, draft.Reset())
		_, err := draft.Write(data)
		must(t, err)
	}
	must(t, draft.Publish(i.body, i.metadata()))
	draft.Discard()
	i.wantHit(t, c)
}

// TestPublishTwice is about a draft that is done with.
func TestPublishTwice(t *testing.T) {
	c, i := newCache(t), newItem("a")
	draft, err := c.Draft(i.manifest, nil)
	must(t, err)
	defer draft.Discard()
	_, err = draft.Write(i.pack)
	must(t, err)
	must(t, draft.Publish(i.body, i.metadata()))
	if err := draft.Publish(i.body, i.metadata()); err == nil {
		t.Error("the second Publish returns nil")
	}
	i.wantHit(t, c)
}

// TestDraftSweep sees that leftovers are removed under the entry's lock alone:
// without it they may be another process's.
func TestDraftSweep(t *testing.T) {
	const temp = ".packvendor-0123456789abcdef.tmp"
	i := newItem("a")
	for _, test := range []struct {
		name string
		lock func(*Cache) *Lock
		want []string
	}{
		{"no lock", func(*Cache) *Lock { return nil }, []string{temp, ".packvendor.tmp"}},
		{"a lock not held", func(*Cache) *Lock { return new(Lock) }, []string{temp, ".packvendor.tmp"}},
		{"a lock given back", func(c *Cache) *Lock { l := mustLock(t, c, i.manifest); l.Unlock(); return l }, []string{temp, ".packvendor.tmp"}},
		{"the lock", func(c *Cache) *Lock { return mustLock(t, c, i.manifest) }, []string{".packvendor.tmp"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, other := newCache(t), newItem("b")
			for _, dir := range []string{i.dir(c), other.dir(c)} {
				writeFile(t, filepath.Join(dir, temp), nil)
				writeFile(t, filepath.Join(dir, ".packvendor.tmp"), nil)
			}
			lock := test.lock(c)
			draft, err := c.Draft(i.manifest, lock)
			must(t, err)
			draft.Discard()
			lock.Unlock()
			wantTree(t, i.dir(c), test.want...)
			wantTree(t, other.dir(c), temp, ".packvendor.tmp")
		})
	}
}

// TestDraftError is about places that cannot hold a cache.
func TestDraftError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, []byte("victim"))
	i := newItem("a")
	for _, root := range []string{file, filepath.Join(file, "below")} {
		c := cacheAt(root)
		want := fmt.Sprintf("mkdir %s: not a directory", file)
		if runtime.GOOS == "windows" {
			want = fmt.Sprintf("mkdir %s: %v", file, syscall.Errno(3)) // which it calls a path that is not found
		}
		draft, err := c.Draft(i.manifest, nil)
		if draft != nil || err == nil || err.Error() != want {
			t.Errorf("Draft = %v, %v, want %s", draft, err, want)
		}
		if err := c.Heal(i.manifest, nil, i.body, nil); err == nil || err.Error() != want {
			t.Errorf("Heal: %v, want %s", err, want)
		}
	}
	wantFile(t, file, []byte("victim"))
}

func TestHeal(t *testing.T) {
	i := newItem("a")
	m := i.metadata()
	for _, test := range []struct {
		name     string
		body     []byte
		metadata *Metadata
		tree     []string
	}{
		{"nothing", nil, nil, []string{"pack.gtpack"}},
		{"manifest", i.body, nil, []string{"manifest.json", "pack.gtpack"}},
		{"metadata", nil, &m, []string{"metadata.json", "pack.gtpack"}},
		{"both", i.body, &m, []string{"manifest.json", "metadata.json", "pack.gtpack"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCache(t)
			writeFile(t, i.path(c, "pack.gtpack"), i.pack)
			before, err := os.Lstat(c.PackPath(i.manifest))
			must(t, err)
			must(t, c.Heal(i.manifest, nil, test.body, test.metadata))
			wantTree(t, i.dir(c), test.tree...)
			wantFile(t, c.PackPath(i.manifest), i.pack)
			after, err := os.Lstat(c.PackPath(i.manifest))
			must(t, err)
			if !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
				t.Error("the pack was touched")
			}
		})
	}
}

// TestHealSweep sees that healing under the lock sweeps as drafting does.
func TestHealSweep(t *testing.T) {
	c, i := newEntry(t)
	writeFile(t, i.path(c, ".packvendor-0123456789abcdef.tmp"), nil)
	must(t, c.Heal(i.manifest, nil, nil, nil))
	if _, err := os.Lstat(i.path(c, ".packvendor-0123456789abcdef.tmp")); err != nil {
		t.Errorf("swept without the lock: %v", err)
	}
	must(t, c.Heal(i.manifest, mustLock(t, c, i.manifest), nil, nil))
	wantTree(t, i.dir(c), "manifest.json", "metadata.json", "pack.gtpack")
}

// TestPublishAtOnce publishes one entry from many goroutines, without locks,
// while others read it: they find the pack whole and proven, or not at all.
func TestPublishAtOnce(t *testing.T) {
	const writers, readers = 32, 4
	c, i := newCache(t), newItem("a")
	errs := make(chan error)
	stop := make(chan bool)
	for range writers {
		go func() { errs <- i.publish(cacheAt(c.Root()), new(Lock)) }()
	}
	for range readers {
		go func() { errs <- i.readUntil(cacheAt(c.Root()), stop) }()
	}
	for n := range writers + readers {
		if n == writers {
			close(stop)
		}
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	wantTree(t, c.Root(), i.manifest.Hex(), i.manifest.Hex()+"/manifest.json", i.manifest.Hex()+"/metadata.json", i.manifest.Hex()+"/pack.gtpack")
	i.wantHit(t, c)
}

// readUntil reads the entry as the Rust client does: if the pack is there, so
// must be the rest.
func (i item) readUntil(c *Cache, stop <-chan bool) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		err := c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer))
		if IsMissing(err) {
			continue
		}
		_, manifestErr := c.Manifest(i.manifest)
		_, metadataErr := c.Metadata(i.manifest)
		if err := errors.Join(err, manifestErr, metadataErr); err != nil {
			return err
		}
	}
}

// TestTemporaries sees that a draft's bytes stand under a name that Sweep and
// other programs can tell from a pack's.
func TestTemporaries(t *testing.T) {
	c, i := newCache(t), newItem("a")
	draft, err := c.Draft(i.manifest, nil)
	must(t, err)
	defer draft.Discard()
	entries, err := os.ReadDir(i.dir(c))
	must(t, err)
	if len(entries) != 1 || !atomicfile.IsTemp(entries[0].Name()) {
		t.Errorf("the entry holds %v, want one temporary", entries)
	}
}

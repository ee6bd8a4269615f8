package packcache

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

// keepable is a pack that is worth keeping a part of.
func keepable() item { return newSizedItem("large", 3<<20) }

func (i item) partial(c *Cache) string {
	return filepath.Join(c.Root(), ".partial", i.content().Digest.Hex())
}

// keep begins the item's entry and is interrupted after n bytes.
func (i item) keep(t *testing.T, c *Cache, n int) error {
	t.Helper()
	lock, busy := c.TryLock(i.manifest)
	if busy {
		t.Fatal("the lock is held by another")
	}
	defer lock.Unlock()
	draft, err := c.Draft(i.manifest, lock)
	must(t, err)
	defer draft.Discard()
	_, err = draft.Write(i.pack[:n])
	must(t, err)
	return draft.KeepPartial(i.content().Digest)
}

// wantKept fails unless exactly the first n bytes of the pack are kept.
func (i item) wantKept(t *testing.T, c *Cache, n int) {
	t.Helper()
	file, size, err := c.Partial(i.content().Digest)
	if n == 0 {
		if err == nil {
			file.Close()
			t.Errorf("%d bytes are kept", size)
		}
		return
	}
	must(t, err)
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil || size != int64(n) || !bytes.Equal(data, i.pack[:n]) {
		t.Errorf("%d bytes are kept, of %d that were told; %v; want %d", len(data), size, err, n)
	}
}

func TestFault02b_Keep(t *testing.T) {
	c, i := newCache(t), keepable()
	i.wantKept(t, c, 0)
	hex, layer := i.manifest.Hex(), i.content().Digest.Hex()

	must(t, i.keep(t, c, 1<<20-1)) // not worth it
	i.wantKept(t, c, 0)
	wantTree(t, c.Root(), ".locks", ".locks/"+hex+".lock", hex)

	must(t, i.keep(t, c, 2<<20))
	i.wantKept(t, c, 2<<20)
	wantTree(t, c.Root(), ".locks", ".locks/"+hex+".lock", ".partial", ".partial/"+layer, hex)
	if info, err := os.Stat(i.partial(c)); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	must(t, i.keep(t, c, 1<<20)) // less than there is
	i.wantKept(t, c, 2<<20)
	must(t, i.keep(t, c, 2<<20+1))
	i.wantKept(t, c, 2<<20+1)

	entries, foreign, err := c.List()
	if err != nil || len(entries) != 1 || entries[0].Size != 0 || len(foreign) != 0 {
		t.Errorf("List: %+v, %q, %v", entries, foreign, err)
	}

	c.RemovePartial(i.content().Digest)
	i.wantKept(t, c, 0)
	wantTree(t, c.Root(), ".locks", ".locks/"+hex+".lock", hex)
	c.RemovePartial(i.content().Digest) // there is none
}

// What was kept goes by age and by size as entries do, and before them.
func TestPrunePartials(t *testing.T) {
	now := time.Unix(fetchedAt, 0)
	day, all, room := 24*time.Hour, int64(0), int64(4<<20)
	for name, test := range map[string]struct {
		o    PruneOptions
		left int // of two that were kept, a day and an hour ago
	}{
		"nothing":           {PruneOptions{}, 2},
		"old":               {PruneOptions{OlderThan: &day}, 1},
		"old, dry":          {PruneOptions{OlderThan: &day, DryRun: true}, 2},
		"all":               {PruneOptions{MaxSize: &all}, 0},
		"as many as needed": {PruneOptions{MaxSize: &room}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			entry := newItem("a")
			must(t, entry.publish(c, nil))
			must(t, os.Chtimes(entry.path(c, manifestFile), now, now))
			for id, age := range map[string]time.Duration{"old": day, "young": time.Hour} {
				i := newSizedItem(id, 3<<20)
				must(t, i.keep(t, c, 2<<20))
				must(t, os.Chtimes(i.partial(c), now, now.Add(-age)))
				must(t, c.Remove(i.manifest))
			}
			before, _, err := c.List()
			must(t, err)
			r, err := c.Prune(t.Context(), test.o)
			must(t, err)
			names, _ := os.ReadDir(filepath.Join(c.Root(), ".partial"))
			if len(names) != test.left {
				t.Errorf("%d are left, want %d", len(names), test.left)
			}
			gone := 2 - test.left
			if test.o.DryRun {
				gone = 1
			}
			freed, left := int64(gone*2<<20), before[0].Size+int64((2-gone)*2<<20)
			if name == "all" {
				freed, left = freed+left, 0
			}
			if r.Partials != gone || r.Freed != freed || r.Left != left {
				t.Errorf("%+v, want %d partials, %d freed, %d left", r, gone, freed, left)
			}
		})
	}
}

// What is not one of ours in the folder is left alone.
func TestPrunePartialsSpares(t *testing.T) {
	c := newCache(t)
	dir, all := filepath.Join(c.Root(), ".partial"), int64(0)
	hex := ociref.DigestOf(nil).Hex()
	writeFile(t, filepath.Join(dir, "notes"), []byte("x"))
	must(t, os.Mkdir(filepath.Join(dir, hex), 0o777))
	r, err := c.Prune(t.Context(), PruneOptions{MaxSize: &all})
	if err != nil || r.Partials != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	wantTree(t, dir, hex, "notes")
}

package packcache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/packtest/disk"
)

// onDisks runs f on disks whose file systems can share blocks, with a cache that holds an
// item, and an empty folder.
func onDisks(t *testing.T, f func(t *testing.T, c *Cache, i item, folder *os.Root)) {
	for _, kind := range []string{"xfs", "btrfs"} {
		t.Run(kind, func(t *testing.T) {
			disk.OnCuttable(t, t.TempDir(), kind, func(d *disk.Cuttable) {
				c, i := cacheAt(filepath.Join(d.Dir, "cache")), newItem("a")
				must(t, i.publish(c, nil))
				must(t, os.Mkdir(filepath.Join(d.Dir, "folder"), 0o777))
				folder, err := os.OpenRoot(filepath.Join(d.Dir, "folder"))
				must(t, err)
				defer folder.Close()
				f(t, c, i, folder)
			})
		})
	}
}

// packTo commits the entry's pack to a file in a folder. watch, if it is not nil, is called
// after the pack was cloned and before the clone is hashed.
func (i item) packTo(c *Cache, folder *os.Root, name string, watch func()) error {
	file, err := atomicfile.Create(folder, name)
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := c.Pack(context.Background(), i.manifest, i.content(), &watched{file, watch}); err != nil {
		return err
	}
	return atomicfile.CommitAll(file)
}

// A watched is a file whose clones are watched.
type watched struct {
	*atomicfile.File
	watch func()
}

func (w *watched) Clone(source *os.File) (io.Reader, error) {
	cloned, err := w.File.Clone(source)
	if cloned != nil && w.watch != nil {
		w.watch()
	}
	return cloned, err
}

// wantShared demands how much of a file's blocks are others', too: all, or none.
func wantShared(t *testing.T, path string, is bool) {
	t.Helper()
	shared, all, err := disk.Shared(path)
	must(t, err)
	if is && (shared != all || all == 0) || !is && shared != 0 {
		t.Errorf("%s shares %d of %d bytes", path, shared, all)
	}
}

// TestPackSharesBlocks sees that the cache and several projects share a pack's blocks, also
// when the entry is gone.
func TestPackSharesBlocks(t *testing.T) {
	onDisks(t, func(t *testing.T, c *Cache, i item, folder *os.Root) {
		for _, name := range []string{"one", "two"} {
			must(t, i.packTo(c, folder, name, nil))
		}
		path := func(name string) string { return filepath.Join(folder.Name(), name) }
		for _, file := range []string{path("one"), path("two"), i.path(c, packFile)} {
			wantFile(t, file, i.pack)
			wantShared(t, file, true)
		}
		must(t, os.Remove(i.path(c, packFile)))
		must(t, os.Remove(path("two")))
		wantTree(t, folder.Name(), "one")
		wantFile(t, path("one"), i.pack)
	})
}

// TestPackElsewhere is about a project on another file system than the cache.
func TestPackElsewhere(t *testing.T) {
	onDisks(t, func(t *testing.T, c *Cache, i item, _ *os.Root) {
		folder, err := os.OpenRoot(t.TempDir())
		must(t, err)
		defer folder.Close()
		for _, name := range []string{"one", "two"} {
			must(t, i.packTo(c, folder, name, func() { t.Error("it was cloned") }))
			wantFile(t, filepath.Join(folder.Name(), name), i.pack)
		}
		wantTree(t, folder.Name(), "one", "two")
		wantShared(t, i.path(c, packFile), false)
	})
}

// TestFault36_ClonedOnDisk lets a second program rewrite the entry in place after it was
// cloned and before the clone is hashed.
func TestFault36_ClonedOnDisk(t *testing.T) {
	onDisks(t, func(t *testing.T, c *Cache, i item, folder *os.Root) {
		for _, rewrite := range [][]byte{nil, i.pack[:1000], newItem("b").pack, append(bytes.Clone(i.pack), 0)} {
			writeFile(t, i.path(c, packFile), i.pack)
			cloned := false
			must(t, i.packTo(c, folder, "pack", func() {
				cloned = true
				writeFile(t, i.path(c, packFile), rewrite)
			}))
			wantFile(t, filepath.Join(folder.Name(), "pack"), i.pack)
			wantFile(t, i.path(c, packFile), rewrite)
			if !cloned {
				t.Error("it was not cloned")
			}
		}
	})
}

// TestFault36_ClonedAtOnce lets a second program rewrite the entry in place all the time,
// and again after the commit: what is committed is right, and stays so.
func TestFault36_ClonedAtOnce(t *testing.T) {
	onDisks(t, func(t *testing.T, c *Cache, i item, folder *os.Root) {
		file, err := os.OpenFile(i.path(c, packFile), os.O_RDWR, 0)
		must(t, err)
		defer file.Close()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan bool)
		go func() { // through the open file: this goroutine does not see the disk
			defer close(done)
			for n := 0; ctx.Err() == nil; n++ {
				rewriteSlowly(file, [][]byte{i.pack, newItem("b").pack}[n%2])
			}
		}()
		committed := map[bool]int{}
		for range 50 {
			err := i.packTo(c, folder, "pack", nil)
			if err != nil && !errors.As(err, new(*CorruptError)) {
				t.Errorf("error %#v, want *CorruptError", err)
			}
			committed[err == nil]++
			if committed[true] > 0 {
				wantFile(t, filepath.Join(folder.Name(), "pack"), i.pack)
			}
		}
		cancel()
		<-done
		t.Logf("right bytes in %d, an error in %d", committed[true], committed[false])
	})
}

// rewriteSlowly is writeSlowly with an open file.
func rewriteSlowly(file *os.File, data []byte) {
	file.Truncate(0)
	for off := 0; off < len(data); off += 4096 {
		file.WriteAt(data[off:min(off+4096, len(data))], int64(off))
	}
}

// TestDraftSharesBlocks fills the cache with the blocks of a project's file.
func TestDraftSharesBlocks(t *testing.T) {
	onDisks(t, func(t *testing.T, c *Cache, _ item, folder *os.Root) {
		i := newItem("b")
		original, err := atomicfile.Create(folder, "pack")
		must(t, err)
		defer original.Discard()
		draft, err := c.Draft(i.manifest, nil)
		must(t, err)
		defer draft.Discard()
		draft.ShareWith(original, i.content().Size)
		for _, w := range []io.Writer{draft, original} {
			_, err := w.Write(i.pack)
			must(t, err)
		}
		must(t, draft.Publish(i.body, i.metadata()))
		must(t, atomicfile.CommitAll(original))
		i.wantHit(t, c)
		path := filepath.Join(folder.Name(), "pack")
		wantShared(t, path, true)
		wantShared(t, i.path(c, packFile), true)
		writeFile(t, i.path(c, packFile), []byte("in place"))
		wantFile(t, path, i.pack)
	})
}

package packcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/verified"
)

// patience bounds what must not hang; nothing waits for it that works.
const patience = 30 * time.Second

// fetchedAt is the time on the clock of every cache here.
const fetchedAt = 1_700_000_000

// An item is a pack and its manifest, which an entry should hold.
type item struct {
	pack     []byte
	body     []byte
	manifest ociref.Digest
}

// newItem returns a pack that takes several reads.
func newItem(id string) item { return newSizedItem(id, 300<<10) }

// newSizedItem returns one of about that many bytes.
func newSizedItem(id string, size int) item {
	pack := packtest.Zip(id, "1.0.0", size)
	body := fmt.Appendf(nil, `{"schemaVersion":2,"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		packtest.PackMediaType, ociref.DigestOf(pack), len(pack))
	return item{pack: pack, body: body, manifest: ociref.DigestOf(body)}
}

func (i item) content() verified.Content {
	return verified.Content{Digest: ociref.DigestOf(i.pack), Size: int64(len(i.pack))}
}

// metadata is what the entry's metadata.json says, the time included.
func (i item) metadata() Metadata {
	digest := string(i.manifest)
	return Metadata{
		OriginalReference:    "ghcr.io/greenticai/packs/a:1.0.0@" + digest,
		ResolvedDigest:       digest,
		MediaType:            packtest.PackMediaType,
		FetchedAtUnixSeconds: fetchedAt,
		SizeBytes:            uint64(len(i.pack)),
		ManifestDigest:       &digest,
		ManifestAnnotations:  map[string]string{"org.opencontainers.image.title": "a"},
	}
}

// newCache returns a cache in a directory that is not there yet.
func newCache(t *testing.T) *Cache { return cacheAt(filepath.Join(t.TempDir(), "cache")) }

func cacheAt(root string) *Cache {
	return New(Options{Root: root, Now: func() time.Time { return time.Unix(fetchedAt, 0) }, LockWait: time.Minute, Sleep: soon})
}

// soon is a Sleep for tests, which have no time.
func soon(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

// newEntry returns a cache that holds an item.
func newEntry(t *testing.T) (*Cache, item) {
	t.Helper()
	c, i := newCache(t), newItem("a")
	must(t, i.publish(c, nil))
	return c, i
}

// publish makes the item's entry.
func (i item) publish(c *Cache, lock *Lock) error {
	draft, err := c.Draft(i.manifest, lock)
	if err != nil {
		return err
	}
	defer draft.Discard()
	if _, err := draft.Write(i.pack); err != nil {
		return err
	}
	return draft.Publish(i.body, i.metadata())
}

// dir returns the item's entry.
func (i item) dir(c *Cache) string { return filepath.Join(c.Root(), i.manifest.Hex()) }

// path returns one of the entry's files.
func (i item) path(c *Cache, name string) string { return filepath.Join(i.dir(c), name) }

// wantHit fails unless everything in the entry is right.
func (i item) wantHit(t *testing.T, c *Cache) {
	t.Helper()
	var pack bytes.Buffer
	if err := c.Pack(context.Background(), i.manifest, i.content(), &pack); err != nil || !bytes.Equal(pack.Bytes(), i.pack) {
		t.Errorf("Pack wrote %d bytes, %v, want the pack's %d", pack.Len(), err, len(i.pack))
	}
	if got, err := c.Measure(context.Background(), i.manifest, anySize); err != nil || got != i.content() {
		t.Errorf("Measure = %+v, %v, want %+v", got, err, i.content())
	}
	i.wantProof(t, c)
}

// wantProof fails unless the entry's manifest and metadata are right.
func (i item) wantProof(t *testing.T, c *Cache) {
	t.Helper()
	if got, err := c.Manifest(i.manifest); err != nil || !bytes.Equal(got, i.body) {
		t.Errorf("Manifest = %q, %v, want %q", got, err, i.body)
	}
	got, err := c.Metadata(i.manifest)
	if got, want := fmt.Sprint(got.flat()), fmt.Sprint(i.metadata().flat()); err != nil || got != want {
		t.Errorf("Metadata = %s, %v, want %s", got, err, want)
	}
}

// flat returns m's fields without pointers.
func (m Metadata) flat() []any {
	digest := "null"
	if m.ManifestDigest != nil {
		digest = *m.ManifestDigest
	}
	return []any{m.OriginalReference, m.ResolvedDigest, m.MediaType, m.FetchedAtUnixSeconds, m.SizeBytes, digest, m.ManifestAnnotations == nil, m.ManifestAnnotations}
}

// readers are the methods that read one file of an entry.
var readers = []struct {
	name string
	file string
	read func(*Cache, item) error
}{
	{"Pack", "pack.gtpack", func(c *Cache, i item) error {
		return c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer))
	}},
	{"Measure", "pack.gtpack", func(c *Cache, i item) error {
		_, err := c.Measure(context.Background(), i.manifest, anySize)
		return err
	}},
	{"Manifest", "manifest.json", func(c *Cache, i item) error { _, err := c.Manifest(i.manifest); return err }},
	{"Metadata", "metadata.json", func(c *Cache, i item) error { _, err := c.Metadata(i.manifest); return err }},
}

// wantCorrupt fails unless err is a *CorruptError about path.
func wantCorrupt(t *testing.T, err error, path, text string) {
	t.Helper()
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Path != path || IsMissing(err) {
		t.Errorf("error %#v, want *CorruptError of %s", err, path)
		return
	}
	if want := path + ": " + text; err.Error() != want {
		t.Errorf("message\n got: %s\nwant: %s", err, want)
	}
}

// wantTree fails unless dir holds exactly names, in lexical order.
func wantTree(t *testing.T, dir string, names ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(dir, path); name != "." {
			got = append(got, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("%s holds %q, %v, want %q", dir, got, err, names)
	}
}

// wantFile fails unless a file holds data.
func wantFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%s holds %.100q, %v, want %.100q", path, got, err, data)
	}
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o777))
	must(t, os.WriteFile(path, data, 0o666))
}

// mustLock takes the entry's lock at once.
func mustLock(t *testing.T, c *Cache, manifest ociref.Digest) *Lock {
	t.Helper()
	lock, err := c.Lock(context.Background(), manifest, func() { t.Error("the lock is held by another") })
	must(t, err)
	if !lock.Held() {
		t.Fatalf("the lock is not held")
	}
	t.Cleanup(lock.Unlock)
	return lock
}

// within fails the test if f does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan bool)
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Errorf("%s hangs", what)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// anySize has Measure read any file.
func anySize(int64) bool { return true }

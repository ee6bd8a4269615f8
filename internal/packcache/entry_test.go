package packcache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

const tempName = ".packvendor-0123456789abcdef.tmp"

// usedAt makes all that is in the item's entry, and the entry, so old.
func (i item) usedAt(t *testing.T, c *Cache, used time.Time) {
	t.Helper()
	files, err := os.ReadDir(i.dir(c))
	must(t, err)
	for _, file := range files {
		must(t, os.Chtimes(i.path(c, file.Name()), used, used))
	}
	must(t, os.Chtimes(i.dir(c), used, used))
}

// usedOf returns when the item's entry was last of use.
func (i item) usedOf(t *testing.T, c *Cache) time.Time {
	t.Helper()
	entry, err := c.look(i.manifest)
	must(t, err)
	return entry.Used
}

// entry is what List returns of a whole entry.
func (i item) entry(used time.Time) Entry {
	m := i.metadata()
	return Entry{
		Manifest:  i.manifest,
		Reference: m.OriginalReference,
		MediaType: m.MediaType,
		PackSize:  int64(len(i.pack)),
		Size:      int64(len(i.pack) + len(i.body) + len(i.rust(`{"org.opencontainers.image.title":"a"}`))),
		Used:      used,
	}
}

// wantList fails unless List returns entries, which it sorts, and foreign.
func wantList(t *testing.T, c *Cache, entries []Entry, foreign []string) {
	t.Helper()
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(string(a.Manifest), string(b.Manifest)) })
	got, gotForeign, err := c.List()
	if err != nil || !slices.Equal(gotForeign, foreign) {
		t.Errorf("List: %q, %v, want %q", gotForeign, err, foreign)
	}
	if got, want := flat(got), flat(entries); got != want {
		t.Errorf("List\n got: %s\nwant: %s", got, want)
	}
}

// flat returns entries a line each, their times in seconds.
func flat(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "\n\t%.10s %q %q %d of %d bytes at %d, foreign %q", e.Manifest.Hex(), e.Reference, e.MediaType, e.PackSize, e.Size, e.Used.Unix(), e.Foreign)
	}
	return b.String()
}

func TestList(t *testing.T) {
	c, whole, bare, empty := newCache(t), newItem("a"), newItem("b"), newItem("c")
	lock := mustLock(t, c, whole.manifest)
	must(t, whole.publish(c, lock))
	whole.usedAt(t, c, time.Unix(1_000, 0))
	must(t, c.Heal(bare.manifest, nil, bare.body, nil))
	bare.usedAt(t, c, time.Unix(2_000, 0))
	must(t, os.MkdirAll(empty.dir(c), 0o777))
	must(t, os.Chtimes(empty.dir(c), time.Unix(3_000, 0), time.Unix(3_000, 0)))
	wantList(t, c, []Entry{
		whole.entry(time.Unix(1_000, 0)),
		{Manifest: bare.manifest, PackSize: -1, Size: int64(len(bare.body)), Used: time.Unix(2_000, 0)},
		{Manifest: empty.manifest, PackSize: -1, Used: time.Unix(3_000, 0)},
	}, nil)
}

// TestListUsed sees that the newest file of an entry tells its time, whichever
// it is, and that those of others tell nothing.
func TestListUsed(t *testing.T) {
	for _, name := range []string{"pack.gtpack", "metadata.json", "manifest.json", tempName} {
		c, i := newEntry(t)
		writeFile(t, i.path(c, tempName), []byte("half"))
		writeFile(t, i.path(c, "note"), []byte("foreign"))
		i.usedAt(t, c, time.Unix(1_000, 0))
		must(t, os.Chtimes(i.path(c, "note"), time.Unix(9_000, 0), time.Unix(9_000, 0)))
		must(t, os.Chtimes(i.dir(c), time.Unix(9_000, 0), time.Unix(9_000, 0)))
		must(t, os.Chtimes(i.path(c, name), time.Unix(2_000, 0), time.Unix(2_000, 0)))
		want := i.entry(time.Unix(2_000, 0))
		want.Size += 4
		want.Foreign = []string{"note"}
		wantList(t, c, []Entry{want}, nil)
	}
}

// TestListMetadata is about entries whose metadata tells nothing, or too much.
func TestListMetadata(t *testing.T) {
	c, i := newEntry(t)
	for _, test := range []struct{ data, reference, mediaType string }{
		{"{", "", ""},
		{i.without("size_bytes"), "", ""},
		{i.with("original_reference", `"\u001b[2J\n"`), "\x1b[2J\n", packtest.PackMediaType},
	} {
		writeFile(t, i.path(c, "metadata.json"), []byte(test.data))
		entries, _, err := c.List()
		if err != nil || len(entries) != 1 || entries[0].Reference != test.reference || entries[0].MediaType != test.mediaType {
			t.Errorf("%s: %s, %v, want %q and %q", test.data, flat(entries), err, test.reference, test.mediaType)
		}
	}
}

// TestListForeign is about what is not the protocol's, in the root and in an
// entry.
func TestListForeign(t *testing.T) {
	c, i, other := newCache(t), newItem("a"), newItem("b")
	must(t, i.publish(c, nil))
	names := []string{"note", ".packvendor.tmp", "pack.gtpack.orig", "Pack.bak"}
	for _, name := range names {
		writeFile(t, i.path(c, name), []byte("foreign"))
	}
	must(t, os.Mkdir(i.path(c, tempName), 0o777)) // its name alone is ours
	i.usedAt(t, c, time.Unix(1_000, 0))
	writeFile(t, filepath.Join(c.Root(), "README"), nil)
	writeFile(t, other.dir(c), nil)
	hex := strings.Repeat("ab", 32)
	foreign := []string{"README", other.manifest.Hex(), "components", strings.ToUpper(hex), hex[1:], hex + "0"}
	for _, name := range foreign[2:] {
		must(t, os.Mkdir(filepath.Join(c.Root(), name), 0o777))
	}
	slices.Sort(foreign)
	want := i.entry(time.Unix(1_000, 0))
	want.Foreign = append(names, tempName)
	slices.Sort(want.Foreign)
	wantList(t, c, []Entry{want}, foreign)
}

// TestListNothing is about roots in which there is nothing, or that are none.
func TestListNothing(t *testing.T) {
	c := newCache(t)
	wantList(t, c, nil, nil)
	must(t, os.Mkdir(c.Root(), 0o777))
	wantList(t, c, nil, nil)
	mustLock(t, c, newItem("a").manifest)
	wantList(t, c, nil, nil)

	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, []byte("victim"))
	entries, foreign, err := cacheAt(file).List()
	if err == nil || !strings.Contains(err.Error(), file) || entries != nil || foreign != nil {
		t.Errorf("a root that is a file: %v, %q, %v", entries, foreign, err)
	}
}

// TestListChanging lists while entries come and go.
func TestListChanging(t *testing.T) {
	c, stays, i := newCache(t), newItem("a"), newItem("b")
	must(t, stays.publish(c, nil))
	done := make(chan error)
	go func() {
		var err error
		for n := 0; n < 25 && err == nil; n++ {
			if err = i.publish(c, nil); err == nil {
				err = c.Remove(i.manifest)
			}
		}
		done <- err
	}()
	for {
		entries, foreign, err := c.List()
		if err != nil || foreign != nil || len(entries) < 1 || len(entries) > 2 || !slices.ContainsFunc(entries, func(e Entry) bool {
			return reflect.DeepEqual(e, stays.entry(e.Used))
		}) {
			t.Fatalf("List: %s, %q, %v", flat(entries), foreign, err)
		}
		select {
		case err := <-done:
			must(t, err)
			return
		default:
		}
	}
}

// TestEntryMadeAnew swaps an entry for another directory and back, as if it was
// removed and published again and again: it is there or not, but not corrupt.
func TestEntryMadeAnew(t *testing.T) {
	c, i := newCache(t), newItem("a")
	i.pack = i.pack[:100] // soon read, so that most of the time is that of opening
	must(t, i.publish(c, nil))
	aside, other := filepath.Join(c.Root(), "aside"), filepath.Join(c.Root(), "other")
	must(t, os.CopyFS(other, os.DirFS(i.dir(c))))
	done, stop := make(chan error), make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			err := errors.Join(os.Rename(i.dir(c), aside), os.Rename(other, i.dir(c)), os.Rename(aside, other))
			if err != nil {
				done <- err
				return
			}
		}
	}()
	fault := ""
	for range 10_000 {
		if got, err := c.Measure(context.Background(), i.manifest, anySize); !IsMissing(err) && (err != nil || got != i.content()) {
			fault = fmt.Sprintf("Measure = %+v, %v", got, err)
			break
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Skip("open directories cannot be renamed here: ", err) // nor opened while they are
	}
	if fault != "" {
		t.Error(fault)
	}
}

// TestLookMissing is about an entry that is not there.
func TestLookMissing(t *testing.T) {
	c := newCache(t)
	if _, err := c.look(ociref.DigestOf(nil)); !IsMissing(err) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

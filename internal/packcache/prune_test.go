package packcache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/ociref"
)

const day = 24 * time.Hour

// eachSize is how many bytes each entry of newOldCache has.
var eachSize = newSizedItem("a", 1000).entry(clock).Size

// old are the entries of newOldCache, with the days since each was of use: the
// oldest is not the first by digest, and one is of the future.
var old = map[string]int{"a": 40, "b": 3, "c": 30, "d": 100, "e": 10, "f": -400}

// newOldCache returns a cache of several entries of one size, by name.
func newOldCache(t *testing.T) (*Cache, map[string]item) {
	t.Helper()
	return newOldCacheAt(t, filepath.Join(t.TempDir(), "cache"))
}

func newOldCacheAt(t *testing.T, root string) (*Cache, map[string]item) {
	t.Helper()
	c, items := cacheAt(root), map[string]item{}
	for name, days := range old {
		items[name] = newSizedItem(name, 1000)
		items[name].write(t, c)
		items[name].usedAt(t, c, clock.Add(-time.Duration(days)*day))
	}
	return c, items
}

// write makes the item's entry sooner than publish does.
func (i item) write(t *testing.T, c *Cache) {
	t.Helper()
	writeFile(t, i.path(c, "manifest.json"), i.body)
	writeFile(t, i.path(c, "metadata.json"), []byte(i.rust(`{"org.opencontainers.image.title":"a"}`)))
	writeFile(t, i.path(c, "pack.gtpack"), i.pack)
}

// days and packs make an option.
func days(n float64) *time.Duration { d := time.Duration(n * float64(day)); return &d }
func packs(n float64) *int64 {
	size := int64(n * float64(eachSize))
	return &size
}

// pruned is a report by names: what was removed, in that order, and what was
// skipped with "!" before it.
func pruned(t *testing.T, r PruneReport, items map[string]item) string {
	t.Helper()
	name := func(e Entry) string {
		for name, item := range items {
			if item.manifest == e.Manifest {
				return name
			}
		}
		return "?"
	}
	var names []string
	freed := int64(0)
	for _, e := range r.Removed {
		freed += e.Size
		names = append(names, name(e))
		if e.Reference == "" || e.Size != eachSize {
			t.Errorf("removed entry %+v", e)
		}
	}
	for _, s := range r.Skipped {
		names = append(names, "!"+name(s.Entry))
	}
	if r.Freed != freed || r.Left != int64(len(items))*eachSize-freed {
		t.Errorf("%d bytes freed and %d left, of %d and %d", r.Freed, r.Left, freed, int64(len(items))*eachSize-freed)
	}
	return strings.Join(names, " ")
}

var prunes = []struct {
	options PruneOptions
	keep    string
	want    string
}{
	{PruneOptions{}, "", ""},
	{PruneOptions{OlderThan: days(0)}, "", "d a c e b"},
	{PruneOptions{OlderThan: days(3)}, "", "d a c e b"},
	{PruneOptions{OlderThan: days(3.1)}, "", "d a c e"},
	{PruneOptions{OlderThan: days(30)}, "", "d a c"},
	{PruneOptions{OlderThan: days(30)}, "a e", "d c"},
	{PruneOptions{OlderThan: days(101)}, "", ""},
	{PruneOptions{OlderThan: days(100_000)}, "", ""},
	{PruneOptions{MaxSize: packs(6)}, "", ""},
	{PruneOptions{MaxSize: packs(5.9)}, "", "d"},
	{PruneOptions{MaxSize: packs(2)}, "", "d a c e"},
	{PruneOptions{MaxSize: packs(2)}, "d e", "a c b f"},
	{PruneOptions{MaxSize: packs(2)}, "d a c", "e b f"},
	{PruneOptions{MaxSize: packs(0)}, "", "d a c e b f"},
	{PruneOptions{MaxSize: packs(0)}, "d a c e b f", ""},
	{PruneOptions{OlderThan: days(30), MaxSize: packs(2)}, "", "d a c e"},
	{PruneOptions{OlderThan: days(30), MaxSize: packs(3)}, "", "d a c"},
	{PruneOptions{OlderThan: days(5), MaxSize: packs(3)}, "", "d a c e"},
}

func TestPrune(t *testing.T) {
	for _, test := range prunes {
		t.Run(fmt.Sprintf("%v, %v, keep %q", test.options.age(), test.options.size(), test.keep), func(t *testing.T) {
			c, items := newOldCache(t)
			o := test.options
			o.Keep = map[ociref.Digest]bool{ociref.DigestOf(nil): true}
			for _, name := range strings.Fields(test.keep) {
				o.Keep[items[name].manifest] = true
			}
			before := tree(t, c.Root())
			o.DryRun = true
			r, err := c.Prune(context.Background(), o)
			must(t, err)
			if got := pruned(t, r, items); got != test.want {
				t.Errorf("a dry run removes %q, want %q", got, test.want)
			}
			if after := tree(t, c.Root()); after != before {
				t.Errorf("a dry run leaves %s, want %s", after, before)
			}
			o.DryRun = false
			r, err = c.Prune(context.Background(), o)
			must(t, err)
			if got := pruned(t, r, items); got != test.want {
				t.Errorf("removed %q, want %q", got, test.want)
			}
			wantLeft(t, c, items, strings.Fields(test.want))
		})
	}
}

// age and size name a test's options.
func (o PruneOptions) age() string {
	if o.OlderThan == nil {
		return "any age"
	}
	return o.OlderThan.String()
}

func (o PruneOptions) size() string {
	if o.MaxSize == nil {
		return "any size"
	}
	return fmt.Sprint(*o.MaxSize, " bytes")
}

// wantLeft fails unless all items but those that were removed are hits.
func wantLeft(t *testing.T, c *Cache, items map[string]item, removed []string) {
	t.Helper()
	for name, i := range items {
		if !slices.Contains(removed, name) {
			i.wantHit(t, c)
		} else if _, err := os.Lstat(i.dir(c)); !IsMissing(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}

// TestPruneSkips sees that the next ones go in the place of entries that are
// busy or foreign, and that an entry with nothing due is no matter.
func TestPruneSkips(t *testing.T) {
	for _, test := range []struct {
		options PruneOptions
		want    string
	}{
		{PruneOptions{OlderThan: days(30)}, "c !d !a"},
		{PruneOptions{MaxSize: packs(4)}, "c e !d !a"},
		{PruneOptions{MaxSize: packs(0)}, "c e b f !d !a"},
		{PruneOptions{OlderThan: days(101)}, ""},
	} {
		c, items := newOldCache(t)
		mustLock(t, c, items["d"].manifest)
		writeFile(t, items["a"].path(c, "note"), nil)
		writeFile(t, filepath.Join(c.Root(), "note"), nil)
		r, err := c.Prune(context.Background(), test.options)
		must(t, err)
		if got := pruned(t, r, items); got != test.want {
			t.Errorf("removed %q, want %q", got, test.want)
		}
		for n, want := range []error{ErrBusy, ErrForeign} {
			if len(r.Skipped) > n && !errors.Is(r.Skipped[n].Err, want) {
				t.Errorf("skipped because %v, want %v", r.Skipped[n].Err, want)
			}
		}
		wantFile(t, items["a"].path(c, "note"), nil)
		wantFile(t, filepath.Join(c.Root(), "note"), nil)

		test.options.DryRun = true
		r, err = c.Prune(context.Background(), test.options)
		must(t, err)
		if want := len(r.Skipped); want > 1 || want > 0 && !errors.Is(r.Skipped[0].Err, ErrForeign) {
			t.Errorf("a dry run skips %v", r.Skipped)
		}
	}
}

// A hookedContext runs a function each time it is asked for its error.
type hookedContext struct {
	context.Context
	hook func()
}

func (h hookedContext) Err() error {
	h.hook()
	return h.Context.Err()
}

// TestPruneOthers has other processes use, replace and remove entries after
// they were listed.
func TestPruneOthers(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(t *testing.T, c *Cache, i item)
		want string
	}{
		{"used", func(t *testing.T, c *Cache, i item) { i.hit(t, c) }, "a c !d"},
		{"written by the Rust client", func(t *testing.T, c *Cache, i item) { writeFile(t, i.path(c, "pack.gtpack"), i.pack) }, "a c !d"},
		{"removed", func(t *testing.T, c *Cache, i item) { must(t, c.Remove(i.manifest)) }, "a c"},
		{"begun anew", func(t *testing.T, c *Cache, i item) {
			must(t, c.Remove(i.manifest))
			must(t, os.Mkdir(i.dir(c), 0o777))
		}, "a c !d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, items := newOldCache(t)
			done := false
			ctx := hookedContext{context.Background(), func() {
				if !done {
					done = true
					test.do(t, c, items["d"])
				}
			}}
			r, err := c.Prune(ctx, PruneOptions{OlderThan: days(30)})
			must(t, err)
			if test.name == "removed" {
				wantCounted(t, &r)
			}
			if got := pruned(t, r, items); got != test.want {
				t.Errorf("removed %q, want %q", got, test.want)
			}
			if len(r.Skipped) > 0 && !errors.Is(r.Skipped[0].Err, ErrBusy) {
				t.Errorf("skipped because %v, want ErrBusy", r.Skipped[0].Err)
			}
		})
	}
}

// wantCounted makes up for an entry that another process removed: it is not
// left, nor was it Prune that freed its bytes.
func wantCounted(t *testing.T, r *PruneReport) {
	t.Helper()
	if want := int64(len(old)-3) * eachSize; r.Left != want || r.Freed != 2*eachSize {
		t.Errorf("%d bytes freed and %d left, want %d and %d", r.Freed, r.Left, 2*eachSize, want)
	}
	r.Left += eachSize
}

// TestPruneCancelled sees that what was done until then is told.
func TestPruneCancelled(t *testing.T) {
	c, items := newOldCache(t)
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(context.Background())
	asked := 0
	r, err := c.Prune(hookedContext{ctx, func() {
		if asked++; asked == 3 {
			cancel(cause)
		}
	}}, PruneOptions{OlderThan: days(0)})
	if got := pruned(t, r, items); err != cause || got != "d a" {
		t.Errorf("removed %q, %v, want d and a, and %v", got, err, cause)
	}
	wantLeft(t, c, items, []string{"d", "a"})
}

// TestPruneNothing is about caches that are not there, or are files.
func TestPruneNothing(t *testing.T) {
	c := newCache(t)
	o := PruneOptions{OlderThan: days(0), MaxSize: packs(0)}
	if r, err := c.Prune(context.Background(), o); err != nil || r.Removed != nil || r.Skipped != nil || r.Left != 0 {
		t.Errorf("Prune = %+v, %v", r, err)
	}
	if _, err := os.Lstat(c.Root()); !IsMissing(err) {
		t.Errorf("the root was made: %v", err)
	}
	writeFile(t, c.Root(), []byte("victim"))
	if _, err := c.Prune(context.Background(), o); err == nil || !strings.Contains(err.Error(), c.Root()) {
		t.Errorf("a root that is a file: %v", err)
	}
	wantFile(t, c.Root(), []byte("victim"))
}

// TestFault44_Prune is about clocks that are wrong by decades: one that is
// behind removes nothing by age, and the order by use stays what it is.
func TestFault44_Prune(t *testing.T) {
	for _, test := range []struct {
		now       time.Time
		old, size string
	}{
		{time.Time{}, "", "d a"},
		{time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), "", "d a"},
		{time.Unix(0, 0), "", "d a"},
		{time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), "d a c e b f", "d a"},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "d a c e b f", "d a"},
	} {
		c, items := newOldCache(t)
		c.now = func() time.Time { return test.now }
		for want, o := range map[string]PruneOptions{
			test.old:  {OlderThan: days(365), DryRun: true},
			test.size: {MaxSize: packs(4), DryRun: true},
		} {
			r, err := c.Prune(context.Background(), o)
			must(t, err)
			if got := pruned(t, r, items); got != want {
				t.Errorf("at %v: %q is removed, want %q", test.now, got, want)
			}
		}
		for _, i := range items {
			i.wantHit(t, c)
		}
	}
}

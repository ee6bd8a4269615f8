package packcache

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"
)

// clock is the time at which entries are used here.
var clock = time.Unix(fetchedAt, 0)

// hit reads the pack, as a use of the entry.
func (i item) hit(t *testing.T, c *Cache) {
	t.Helper()
	must(t, c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer)))
}

// TestMarkUsed sees that a hit is recorded, though not every one of them.
func TestMarkUsed(t *testing.T) {
	for _, test := range []struct {
		name      string
		was, want time.Time
	}{
		{"just now", clock, clock},
		{"within the hour", clock.Add(time.Second - time.Hour), clock.Add(time.Second - time.Hour)},
		{"an hour ago", clock.Add(-time.Hour), clock},
		{"a year ago", clock.AddDate(-1, 0, 0), clock},
		{"in the future", clock.AddDate(1, 0, 0), clock.AddDate(1, 0, 0)},
	} {
		c, i := newEntry(t)
		i.usedAt(t, c, test.was)
		i.hit(t, c)
		for name, want := range map[string]time.Time{"manifest.json": test.want, "metadata.json": test.was, "pack.gtpack": test.was} {
			info, err := os.Stat(i.path(c, name))
			must(t, err)
			if !info.ModTime().Equal(want) {
				t.Errorf("%s: %s is of %v, want %v", test.name, name, info.ModTime(), want)
			}
		}
		i.wantHit(t, c)
	}
}

// TestMarkUsedUnproven is about entries as the Rust client makes them.
func TestMarkUsedUnproven(t *testing.T) {
	c, i := newEntry(t)
	must(t, os.Remove(i.path(c, "manifest.json")))
	i.usedAt(t, c, time.Unix(1_000, 0))
	i.hit(t, c)
	info, err := os.Stat(i.path(c, "pack.gtpack"))
	must(t, err)
	if !info.ModTime().Equal(clock) {
		t.Errorf("the pack is of %v, want %v", info.ModTime(), clock)
	}
}

// TestNotUsed sees that nothing but a hit is a use: to look after a cache does
// not make it young.
func TestNotUsed(t *testing.T) {
	c, i := newEntry(t)
	was := time.Unix(1_000, 0)
	i.usedAt(t, c, was)
	other := newItem("b")
	if err := c.Pack(context.Background(), i.manifest, other.content(), new(bytes.Buffer)); err == nil {
		t.Error("another pack is a hit")
	}
	_, err := c.Manifest(i.manifest)
	must(t, err)
	_, err = c.Metadata(i.manifest)
	must(t, err)
	_, err = c.Measure(context.Background(), i.manifest, anySize)
	must(t, err)
	must(t, c.Check(context.Background(), i.manifest, layersOf))
	_, err = c.Repair(context.Background(), i.manifest, layersOf)
	must(t, err)
	_, err = c.Prune(context.Background(), PruneOptions{DryRun: true, MaxSize: new(int64)})
	must(t, err)
	if got := i.usedOf(t, c); !got.Equal(was) {
		t.Errorf("used at %v, want %v", got, was)
	}
	c.markUsed(other.manifest) // which is not there, and stays away
	if _, err := os.Lstat(other.dir(c)); !IsMissing(err) {
		t.Errorf("an entry was made: %v", err)
	}
}

// BenchmarkHit is a small pack's, to which the record of its use adds most.
func BenchmarkHit(b *testing.B) {
	c, i := cacheAt(b.TempDir()), newItem("a")
	if err := i.publish(c, nil); err != nil {
		b.Fatal(err)
	}
	b.Run("hit", func(b *testing.B) {
		for b.Loop() {
			if err := c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("record", func(b *testing.B) {
		for b.Loop() {
			c.markUsed(i.manifest)
		}
	})
}

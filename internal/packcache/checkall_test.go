package packcache

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
)

func TestCheckAll(t *testing.T) {
	c := newCache(t)
	whole, corrupt, gone, unproved := newItem("whole"), newItem("corrupt"), newItem("gone"), newItem("unproven")
	for _, i := range []item{whole, corrupt, gone, unproved} {
		must(t, i.publish(c, nil))
	}
	corrupted := append([]byte{corrupt.pack[0] ^ 1}, corrupt.pack[1:]...)
	writeFile(t, corrupt.path(c, packFile), corrupted)
	must(t, os.Remove(unproved.path(c, manifestFile)))
	entries, _, err := c.List()
	must(t, err)
	must(t, os.RemoveAll(gone.dir(c)))
	for _, repair := range []bool{false, true} {
		var done atomic.Int32
		all, err := c.CheckAll(context.Background(), entries, 2, layersOf, repair, func() { done.Add(1) })
		must(t, err)
		if len(all) != 3 || done.Load() != 4 {
			t.Fatalf("got %+v, done %d times", all, done.Load())
		}
		found := map[ociref.Digest]Checked{}
		for _, checked := range all {
			found[checked.Manifest] = checked
		}
		if got := found[whole.manifest]; got.Err != nil || got.Removed {
			t.Errorf("whole: got %+v", got)
		}
		if got := found[unproved.manifest]; !got.IsUnproven() || got.Removed {
			t.Errorf("unproven: got %+v", got)
		}
		if got := found[corrupt.manifest]; !errors.As(got.Err, new(*CorruptError)) || got.Removed != repair || got.IsUnproven() {
			t.Errorf("corrupt, repair %t: got %+v", repair, got)
		}
	}
	if _, err := os.Lstat(corrupt.dir(c)); !IsMissing(err) {
		t.Errorf("the corrupt entry is still there: %v", err)
	}
	whole.wantHit(t, c)
}

func TestCheckAllCancelled(t *testing.T) {
	c, i := newEntry(t)
	entries, _, err := c.List()
	must(t, err)
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if all, err := c.CheckAll(ctx, entries, 1, layersOf, true, func() {}); all != nil || err != cause {
		t.Errorf("got %+v, %v, want the cause", all, err)
	}
	i.wantHit(t, c)
}

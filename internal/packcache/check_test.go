package packcache

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

var errLayers = errors.New("ambiguous manifest")

// layersOf reads manifests as newItem writes them.
func layersOf(manifest []byte) ([]verified.Content, error) {
	var m struct{ Layers []verified.Content }
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, errLayers
	}
	return m.Layers, nil
}

// of returns an item whose manifest is body.
func (i item) of(body string) item {
	return item{pack: i.pack, body: []byte(body), manifest: ociref.DigestOf([]byte(body))}
}

// A finding is what Check returns: nil, ErrUnproven, or the corrupt file and
// what is wrong with it.
type finding struct{ file, text string }

var unproven = finding{text: "unproven"}

// wantFinding fails unless err is what was to be found.
func (i item) wantFinding(t *testing.T, c *Cache, err error, want finding) {
	t.Helper()
	switch {
	case want == finding{}:
		must(t, err)
	case want == unproven:
		if !errors.Is(err, ErrUnproven) {
			t.Errorf("error %v, want ErrUnproven", err)
		}
	default:
		wantCorrupt(t, err, i.path(c, want.file), want.text)
	}
}

// checks are entries, each a whole one that something was done to.
var checks = []struct {
	name   string
	damage func(t *testing.T, c *Cache, i item)
	want   func(i item) finding
}{
	{"whole", func(*testing.T, *Cache, item) {}, nil},
	{"no metadata", func(t *testing.T, c *Cache, i item) { must(t, os.Remove(i.path(c, "metadata.json"))) }, nil},
	{"no pack", func(t *testing.T, c *Cache, i item) { must(t, os.Remove(i.path(c, "pack.gtpack"))) }, nil},
	{"nothing", func(t *testing.T, c *Cache, i item) {
		must(t, os.RemoveAll(i.dir(c)))
		must(t, os.Mkdir(i.dir(c), 0o777))
	}, nil},
	{"leftovers", func(t *testing.T, c *Cache, i item) { writeFile(t, i.path(c, tempName), []byte("half")) }, nil},
	{"no manifest", func(t *testing.T, c *Cache, i item) { must(t, os.Remove(i.path(c, "manifest.json"))) },
		func(item) finding { return unproven }},
	{"no manifest, pack corrupt", func(t *testing.T, c *Cache, i item) {
		must(t, os.Remove(i.path(c, "manifest.json")))
		writeFile(t, i.path(c, "pack.gtpack"), []byte("pack"))
	}, func(i item) finding {
		return finding{"metadata.json", fmt.Sprintf("size_bytes is %d, but the pack has 4 bytes", len(i.pack))}
	}},
	{"no manifest, metadata corrupt", func(t *testing.T, c *Cache, i item) {
		must(t, os.Remove(i.path(c, "manifest.json")))
		writeFile(t, i.path(c, "metadata.json"), []byte(i.without("media_type")))
	}, func(item) finding { return finding{"metadata.json", "media_type is missing"} }},
	{"manifest of another", func(t *testing.T, c *Cache, i item) { writeFile(t, i.path(c, "manifest.json"), newItem("b").body) },
		func(i item) finding {
			return finding{"manifest.json", fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", newItem("b").manifest, i.manifest)}
		}},
	{"pack of another", func(t *testing.T, c *Cache, i item) { writeFile(t, i.path(c, "pack.gtpack"), newItem("b").pack) },
		func(item) finding { return notListed(newItem("b").pack) }},
	{"pack truncated", func(t *testing.T, c *Cache, i item) { must(t, os.Truncate(i.path(c, "pack.gtpack"), 5)) },
		func(item) finding { return notSized(5) }},
	{"pack emptied", func(t *testing.T, c *Cache, i item) { must(t, os.Truncate(i.path(c, "pack.gtpack"), 0)) },
		func(item) finding { return notSized(0) }},
	{"no pack, metadata corrupt", func(t *testing.T, c *Cache, i item) {
		must(t, os.Remove(i.path(c, "pack.gtpack")))
		writeFile(t, i.path(c, "metadata.json"), []byte(i.with("size_bytes", "-1")))
	}, func(item) finding {
		return finding{"metadata.json", "size_bytes: json: cannot unmarshal number -1 into Go value of type uint64"}
	}},
	{"metadata of another", func(t *testing.T, c *Cache, i item) {
		writeFile(t, i.path(c, "metadata.json"), []byte(i.with("resolved_digest", fmt.Sprintf("%q", newItem("b").manifest))))
	}, func(item) finding { return finding{"metadata.json", "resolved_digest is not that of the entry"} }},
	{"metadata of another manifest", func(t *testing.T, c *Cache, i item) {
		writeFile(t, i.path(c, "metadata.json"), []byte(i.with("manifest_digest", fmt.Sprintf("%q", newItem("b").manifest))))
	}, func(item) finding { return finding{"metadata.json", "manifest_digest is not that of the entry"} }},
	{"metadata of no manifest", func(t *testing.T, c *Cache, i item) {
		writeFile(t, i.path(c, "metadata.json"), []byte(i.without("manifest_digest")))
	}, nil},
	{"metadata of another size", func(t *testing.T, c *Cache, i item) {
		writeFile(t, i.path(c, "metadata.json"), []byte(i.with("size_bytes", "18446744073709551615")))
	}, func(i item) finding {
		return finding{"metadata.json", fmt.Sprintf("size_bytes is 18446744073709551615, but the pack has %d bytes", len(i.pack))}
	}},
	{"pack is a directory", func(t *testing.T, c *Cache, i item) {
		must(t, os.Remove(i.path(c, "pack.gtpack")))
		must(t, os.Mkdir(i.path(c, "pack.gtpack"), 0o777))
	}, func(item) finding { return finding{"pack.gtpack", "not a regular file"} }},
}

// notListed is what Check says of a pack that is none of the manifest's layers.
func notListed(pack []byte) finding {
	return finding{"pack.gtpack", fmt.Sprintf("%s with %d bytes is no layer of the manifest", ociref.DigestOf(pack), len(pack))}
}

// notSized is what Check says of a pack of another size than all of the layers.
func notSized(size int) finding {
	return finding{"pack.gtpack", fmt.Sprintf("no layer of the manifest has %d bytes", size)}
}

func TestCheck(t *testing.T) {
	for _, test := range checks {
		t.Run(test.name, func(t *testing.T) {
			c, i := newEntry(t)
			test.damage(t, c, i)
			before := tree(t, c.Root())
			err := c.Check(context.Background(), i.manifest, layersOf)
			var want finding
			if test.want != nil {
				want = test.want(i)
			}
			i.wantFinding(t, c, err, want)
			if after := tree(t, c.Root()); after != before {
				t.Errorf("Check has changed the cache\n got: %s\nwant: %s", after, before)
			}
		})
	}
}

// TestCheckLayers is about manifests of other forms than the item's own.
func TestCheckLayers(t *testing.T) {
	i := newItem("a")
	digest, size := ociref.DigestOf(i.pack), len(i.pack)
	for _, test := range []struct {
		body string
		want finding
	}{
		{fmt.Sprintf(`{"layers":[{"digest":"sha256:x","size":1},{"digest":%q,"size":%d}]}`, digest, size), finding{}},
		{fmt.Sprintf(`{"layers":[{"digest":%q,"size":%d}]}`, digest, size+1), notSized(size)},
		{`{"layers":[]}`, notSized(size)},
		{`[]`, unproven},
	} {
		c, i := newCache(t), i.of(test.body)
		must(t, i.publish(c, nil))
		err := c.Check(context.Background(), i.manifest, layersOf)
		i.wantFinding(t, c, err, test.want)
		if test.want == unproven && !errors.Is(err, errLayers) {
			t.Errorf("error %v does not say why", err)
		}
	}
}

// TestCheckAbsent is about an entry that is not there, or is a file.
func TestCheckAbsent(t *testing.T) {
	c, i := newCache(t), newItem("a")
	ctx := context.Background()
	for range 2 {
		if err := c.Check(ctx, i.manifest, layersOf); !IsMissing(err) {
			t.Errorf("Check: %v, want fs.ErrNotExist", err)
		}
		if removed, err := c.Repair(ctx, i.manifest, layersOf); removed || !IsMissing(err) {
			t.Errorf("Repair = %t, %v, want fs.ErrNotExist", removed, err)
		}
		if _, err := os.Lstat(filepath.Join(c.Root(), ".locks")); !IsMissing(err) {
			t.Errorf("a lock was made: %v", err)
		}
		must(t, os.MkdirAll(c.Root(), 0o777))
	}
	writeFile(t, i.dir(c), []byte("victim"))
	wantCorrupt(t, c.Check(ctx, i.manifest, layersOf), i.dir(c), "not a directory")
	_, err := c.Repair(ctx, i.manifest, layersOf)
	wantCorrupt(t, err, i.dir(c), "not a directory")
	wantFile(t, i.dir(c), []byte("victim"))
}

// large is a size, in bytes, that takes many minutes to read.
const large = 1 << 40

// TestFault59_CheckOfAnotherSize sees that a large pack is not read which cannot be
// the right one.
func TestFault59_CheckOfAnotherSize(t *testing.T) {
	c, i := newEntry(t)
	must(t, os.Truncate(i.path(c, "pack.gtpack"), large))
	within(t, "Check and Pack", func() {
		i.wantFinding(t, c, c.Check(context.Background(), i.manifest, layersOf), notSized(large))
		err := c.Pack(context.Background(), i.manifest, i.content(), io.Discard)
		wantCorrupt(t, err, i.path(c, "pack.gtpack"), fmt.Sprintf("size mismatch\n\tgot:  %d bytes\n\twant: %d bytes", large, len(i.pack)))
		must(t, os.Remove(i.path(c, "manifest.json")))
		must(t, os.Remove(i.path(c, "metadata.json")))
		i.wantFinding(t, c, c.Check(context.Background(), i.manifest, layersOf), unproven)
	})
}

// TestFault59_CheckCancelled sees that a check of a large pack can be ended.
func TestFault59_CheckCancelled(t *testing.T) {
	c, i := newCache(t), newItem("a")
	i = i.of(fmt.Sprintf(`{"layers":[{"digest":%q,"size":%d}]}`, ociref.DigestOf(i.pack), large))
	must(t, i.publish(c, nil))
	must(t, os.Truncate(i.path(c, "pack.gtpack"), large))
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	within(t, "Check", func() {
		err := c.Check(ctx, i.manifest, layersOf)
		removed, repairErr := c.Repair(ctx, i.manifest, layersOf)
		if !errors.Is(err, cause) || !errors.Is(repairErr, cause) || removed {
			t.Errorf("errors %v and %v, removed %t, want %v", err, repairErr, removed, cause)
		}
	})
}

// TestFault36_CheckWhileRewritten checks while another program writes in place,
// as the Rust client does: what was proven was right.
func TestFault36_CheckWhileRewritten(t *testing.T) {
	c, i := newEntry(t)
	other := newItem("b")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan bool)
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			writeSlowly(i.path(c, "pack.gtpack"), other.pack)
			writeSlowly(i.path(c, "metadata.json"), []byte(other.rust("null")))
			writeSlowly(i.path(c, "pack.gtpack"), i.pack)
			writeSlowly(i.path(c, "metadata.json"), []byte(i.rust("null")))
		}
	}()
	for run := range 200 {
		var corrupt *CorruptError
		if err := c.Check(ctx, i.manifest, layersOf); err != nil && !errors.As(err, &corrupt) {
			t.Errorf("run %d: %v", run, err)
		}
	}
	cancel()
	<-done
	must(t, c.Check(context.Background(), i.manifest, layersOf))
}

// TestRepair sees that what Check finds corrupt goes, and nothing else.
func TestRepair(t *testing.T) {
	for _, test := range checks {
		t.Run(test.name, func(t *testing.T) {
			c, i := newEntry(t)
			other := newItem("other")
			must(t, other.publish(c, nil))
			test.damage(t, c, i)
			before := tree(t, i.dir(c))
			removed, err := c.Repair(context.Background(), i.manifest, layersOf)
			switch foreign := test.name == "pack is a directory"; {
			case test.want == nil || test.want(i) == unproven || foreign:
				if removed || (err != nil) != (test.want != nil) || foreign && !errors.Is(err, ErrForeign) {
					t.Errorf("Repair = %t, %v", removed, err)
				}
				if after := tree(t, i.dir(c)); after != before {
					t.Errorf("the entry holds %s, want %s", after, before)
				}
			case !removed || err != nil:
				t.Errorf("Repair = %t, %v, want it removed", removed, err)
			default:
				if _, err := os.Lstat(i.dir(c)); !IsMissing(err) {
					t.Errorf("the entry is still there: %v", err)
				}
			}
			if !tryLock(t, c.Root(), i).Held() {
				t.Error("the lock was kept")
			}
			other.wantHit(t, c)
			if test.name != "pack is a directory" {
				must(t, i.publish(c, nil))
				i.wantHit(t, c)
			}
		})
	}
}

// TestRepairBusy sees that an entry which someone else may be mending is left
// to them.
func TestRepairBusy(t *testing.T) {
	c, i := newEntry(t)
	writeFile(t, i.path(c, "pack.gtpack"), []byte("bad"))
	lock := mustLock(t, c, i.manifest)
	if removed, err := c.Repair(context.Background(), i.manifest, layersOf); removed || !errors.Is(err, ErrBusy) {
		t.Errorf("Repair = %t, %v, want ErrBusy", removed, err)
	}
	wantFile(t, i.path(c, "pack.gtpack"), []byte("bad"))
	must(t, i.publish(c, lock))
	lock.Unlock()
	if removed, err := c.Repair(context.Background(), i.manifest, layersOf); removed || err != nil {
		t.Errorf("Repair = %t, %v, want it left alone", removed, err)
	}
	i.wantHit(t, c)
}

// tree returns the names, modes, sizes and times of all below dir.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b bytes.Buffer
	must(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		must(t, err)
		info, err := entry.Info()
		must(t, err)
		fmt.Fprintf(&b, "\n\t%s %v %d %v", path, info.Mode(), info.Size(), info.ModTime())
		return nil
	}))
	return b.String()
}

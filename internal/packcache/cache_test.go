package packcache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

func TestLayout(t *testing.T) {
	c, i := newCache(t), newItem("a")
	if _, err := os.Lstat(c.Root()); !IsMissing(err) {
		t.Errorf("New has made the root: %v", err)
	}
	lock := mustLock(t, c, i.manifest)
	must(t, i.publish(c, lock))
	hex := i.manifest.Hex()
	wantTree(t, c.Root(), ".locks", ".locks/"+hex+".lock", hex, hex+"/manifest.json", hex+"/metadata.json", hex+"/pack.gtpack")
	wantFile(t, i.path(c, "manifest.json"), i.body)
	wantFile(t, i.path(c, "pack.gtpack"), i.pack)
	if got, want := c.PackPath(i.manifest), i.path(c, "pack.gtpack"); got != want {
		t.Errorf("PackPath = %s, want %s", got, want)
	}
	i.wantHit(t, c)
}

// TestMissing is about what is not there, at every level: each error is
// fs.ErrNotExist and names a path in the cache.
func TestMissing(t *testing.T) {
	i := newItem("a")
	for _, test := range []struct {
		name string
		make func(*Cache)
	}{
		{"no root", func(*Cache) {}},
		{"no entry", func(c *Cache) { must(t, os.MkdirAll(c.Root(), 0o777)) }},
		{"an empty entry", func(c *Cache) { must(t, os.MkdirAll(i.dir(c), 0o777)) }},
	} {
		for _, reader := range readers {
			t.Run(test.name+"/"+reader.name, func(t *testing.T) {
				c := newCache(t)
				test.make(c)
				err := reader.read(c, i)
				var corrupt *CorruptError
				if !IsMissing(err) || errors.As(err, &corrupt) {
					t.Errorf("error %#v, want fs.ErrNotExist", err)
				}
				if err == nil || !strings.Contains(err.Error(), i.dir(c)) {
					t.Errorf("error %q does not name %s", err, i.dir(c))
				}
			})
		}
	}
}

func TestIsMissing(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{os.ErrNotExist, true},
		{fmt.Errorf("wrapped: %w", os.ErrNotExist), true},
		{os.ErrPermission, false},
		{&CorruptError{Path: "x", Err: errNotFile}, false},
	} {
		if got := IsMissing(test.err); got != test.want {
			t.Errorf("IsMissing(%v) = %t", test.err, got)
		}
	}
}

// damages are what disks and other programs do to a file.
var damages = []struct {
	name   string
	damage func([]byte) []byte
}{
	{"truncated", func(b []byte) []byte { return b[:len(b)-1] }},
	{"half", func(b []byte) []byte { return b[:len(b)/2] }},
	{"emptied", func([]byte) []byte { return nil }},
	{"longer", func(b []byte) []byte { return append(b, 0) }},
	{"first bit flipped", func(b []byte) []byte { b[0] ^= 0x80; return b }},
	{"middle bit flipped", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }},
	{"last bit flipped", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }},
	{"zeroed", func(b []byte) []byte { clear(b); return b }},
}

func TestFault34_DamagedPack(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			c, i := newEntry(t)
			bad := test.damage(bytes.Clone(i.pack))
			writeFile(t, i.path(c, "pack.gtpack"), bad)
			var pack bytes.Buffer
			err := c.Pack(context.Background(), i.manifest, i.content(), &pack)
			wantCorrupt(t, err, i.path(c, "pack.gtpack"), mismatch(bad, i.content()))
			if pack.Len() > len(i.pack) {
				t.Errorf("%d bytes were written, of at most %d", pack.Len(), len(i.pack))
			}
			if got, err := c.Measure(context.Background(), i.manifest, anySize); err != nil || got != (verified.Content{Digest: ociref.DigestOf(bad), Size: int64(len(bad))}) {
				t.Errorf("Measure = %+v, %v", got, err)
			}
			wantFile(t, i.path(c, "pack.gtpack"), bad) // reading repairs nothing
			must(t, i.publish(c, nil))
			i.wantHit(t, c)
		})
	}
}

// mismatch is how a MismatchError tells bad bytes from want.
func mismatch(bad []byte, want verified.Content) string {
	if size := int64(len(bad)); size != want.Size {
		return fmt.Sprintf("size mismatch\n\tgot:  %d bytes\n\twant: %d bytes", size, want.Size)
	}
	return fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(bad), want.Digest)
}

// TestFault35_OtherPack puts another pack, whole and valid, under metadata that
// is right for the first.
func TestFault35_OtherPack(t *testing.T) {
	c, i := newEntry(t)
	other := newItem("b")
	if len(other.pack) != len(i.pack) {
		t.Fatalf("the packs have %d and %d bytes, want the same number", len(i.pack), len(other.pack))
	}
	writeFile(t, i.path(c, "pack.gtpack"), other.pack)
	err := c.Pack(context.Background(), i.manifest, i.content(), new(bytes.Buffer))
	wantCorrupt(t, err, i.path(c, "pack.gtpack"), mismatch(other.pack, i.content()))
	i.wantProof(t, c)
	if got, err := c.Measure(context.Background(), i.manifest, anySize); err != nil || got != other.content() {
		t.Errorf("Measure = %+v, %v, want %+v", got, err, other.content())
	}
}

func TestFault37_DamagedManifest(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			c, i := newEntry(t)
			bad := test.damage(bytes.Clone(i.body))
			writeFile(t, i.path(c, "manifest.json"), bad)
			body, err := c.Manifest(i.manifest)
			wantCorrupt(t, err, i.path(c, "manifest.json"), fmt.Sprintf("digest mismatch\n\tgot:  %s\n\twant: %s", ociref.DigestOf(bad), i.manifest))
			if body != nil {
				t.Errorf("Manifest returns %q beside its error", body)
			}
			must(t, c.Heal(i.manifest, nil, i.body, nil))
			i.wantHit(t, c)
		})
	}
}

// TestFault37_MissingProof removes what other programs do not write.
func TestFault37_MissingProof(t *testing.T) {
	for _, name := range []string{"manifest.json", "metadata.json"} {
		c, i := newEntry(t)
		must(t, os.Remove(i.path(c, name)))
		for _, reader := range readers {
			if err := reader.read(c, i); IsMissing(err) != (reader.file == name) || err != nil && reader.file != name {
				t.Errorf("without %s, %s: %v", name, reader.name, err)
			}
		}
		m := i.metadata()
		must(t, c.Heal(i.manifest, nil, i.body, &m))
		i.wantHit(t, c)
	}
}

// TestHugeManifest is about small files that fill the disk: no more of them is
// read than a manifest may be large.
func TestHugeManifest(t *testing.T) {
	const size, bound = 1 << 30, 100 << 20
	c, i := newEntry(t)
	for _, name := range []string{"manifest.json", "metadata.json"} {
		must(t, os.Truncate(i.path(c, name), size))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, manifestErr := c.Manifest(i.manifest)
	_, metadataErr := c.Metadata(i.manifest)
	runtime.ReadMemStats(&after)
	var corrupt *CorruptError
	if !errors.As(manifestErr, &corrupt) || !errors.As(metadataErr, &corrupt) {
		t.Errorf("errors %v and %v, want *CorruptError", manifestErr, metadataErr)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > bound {
		t.Errorf("%d bytes allocated, of at most %d", allocated, bound)
	}
}

// A hooked writer runs a function before the n-th write.
type hooked struct {
	bytes.Buffer
	n    int
	hook func()
}

func (h *hooked) Write(p []byte) (int, error) {
	if h.n--; h.n == 0 {
		h.hook()
	}
	return h.Buffer.Write(p)
}

// TestFault36_RewrittenWhileRead lets a second program rewrite the entry in
// place, as the Rust client does, at every point of our reading.
func TestFault36_RewrittenWhileRead(t *testing.T) {
	c, i := newEntry(t)
	other := newItem("b")
	path := i.path(c, "pack.gtpack")
	rewrites := []struct {
		name  string
		bytes []byte
	}{
		{"the same", i.pack},
		{"emptied", nil},
		{"half", i.pack[:len(i.pack)/2]},
		{"another pack", other.pack},
		{"half another pack", append(bytes.Clone(i.pack[:len(i.pack)/2]), other.pack[len(i.pack)/2:]...)},
		{"longer", append(bytes.Clone(i.pack), i.pack...)},
	}
	for run := range 50 {
		rewrite := rewrites[run%len(rewrites)]
		writeFile(t, path, i.pack)
		w := &hooked{n: run/len(rewrites) + 1, hook: func() { writeFile(t, path, rewrite.bytes) }}
		err := c.Pack(context.Background(), i.manifest, i.content(), w)
		var corrupt *CorruptError
		switch right := bytes.Equal(w.Bytes(), i.pack); {
		case err == nil && !right:
			t.Errorf("run %d, %s: wrong bytes are taken for right", run, rewrite.name)
		case err != nil && !errors.As(err, &corrupt):
			t.Errorf("run %d, %s: error %#v, want *CorruptError", run, rewrite.name, err)
		case err != nil && run%len(rewrites) == 0:
			t.Errorf("run %d: rewritten with the same bytes: %v", run, err)
		}
	}
}

// TestFault36_RewrittenAtOnce does the same without a plan.
func TestFault36_RewrittenAtOnce(t *testing.T) {
	c, i := newEntry(t)
	other := newItem("b")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan bool)
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			writeSlowly(i.path(c, "pack.gtpack"), [][]byte{i.pack, other.pack}[n%2])
		}
	}()
	for run := range 50 {
		var pack bytes.Buffer
		err := c.Pack(context.Background(), i.manifest, i.content(), &pack)
		var corrupt *CorruptError
		if err == nil && !bytes.Equal(pack.Bytes(), i.pack) || err != nil && !errors.As(err, &corrupt) {
			t.Errorf("run %d: %d bytes, error %v", run, pack.Len(), err)
		}
	}
	cancel()
	<-done
}

// writeSlowly writes in place and in small pieces.
func writeSlowly(path string, data []byte) {
	file, err := os.Create(path)
	if err != nil {
		return
	}
	defer file.Close()
	for len(data) > 0 {
		n, _ := file.Write(data[:min(len(data), 4096)])
		data = data[n:]
	}
}

type fullWriter struct{}

var errFull = errors.New("full")

func (fullWriter) Write([]byte) (int, error) { return 0, errFull }

// TestPackWriteError sees that a full destination is not blamed on the cache.
func TestPackWriteError(t *testing.T) {
	c, i := newEntry(t)
	err := c.Pack(context.Background(), i.manifest, i.content(), fullWriter{})
	var write *verified.WriteError
	var corrupt *CorruptError
	if !errors.As(err, &write) || !errors.Is(err, errFull) || errors.As(err, &corrupt) {
		t.Errorf("error %#v, want *verified.WriteError", err)
	}
}

// TestEntryIsFile is about a file where an entry, or the root, should be.
func TestEntryIsFile(t *testing.T) {
	for _, reader := range readers {
		c, i := newCache(t), newItem("a")
		writeFile(t, i.dir(c), []byte("victim"))
		wantCorrupt(t, reader.read(c, i), i.dir(c), "not a directory")
		wantCorrupt(t, i.publish(c, nil), i.dir(c), "not a directory")
		wantCorrupt(t, c.Heal(i.manifest, nil, i.body, nil), i.dir(c), "not a directory")
		wantFile(t, i.dir(c), []byte("victim"))

		below := cacheAt(filepath.Join(i.dir(c), "root"))
		var corrupt *CorruptError
		if err := reader.read(below, i); err == nil || errors.As(err, &corrupt) {
			t.Errorf("%s below a file: %v", reader.name, err)
		}
	}
}

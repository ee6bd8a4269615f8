package layout

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/verified"
)

// The same contents give the same bytes, in whatever order they come. These bytes are a
// promise: others compare the digests of bundles.
func TestSameBytes(t *testing.T) {
	c, _ := packs(t)
	for i := range 4 {
		shuffle(c, uint64(i))
		_, data := archived(t, c)
		if got, want := ociref.DigestOf(data), "sha256:cc38227bfdb87e15d6c908f1161a89948c999e5e2cdbf54d685c973f5458c00f"; string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// shuffle puts contents into another order.
func shuffle(c Contents, seed uint64) {
	r := rand.New(rand.NewPCG(11, seed))
	r.Shuffle(len(c.Blobs), func(i, j int) { c.Blobs[i], c.Blobs[j] = c.Blobs[j], c.Blobs[i] })
	r.Shuffle(len(c.Entries), func(i, j int) { c.Entries[i], c.Entries[j] = c.Entries[j], c.Entries[i] })
}

// Both kinds have the same files.
func TestFiles(t *testing.T) {
	c, _ := packs(t)
	dir, err := kinds[0].write(t, c)
	if err != nil {
		t.Fatal(err)
	}
	_, written := archived(t, c)
	var names []string
	for r := tar.NewReader(bytes.NewReader(written)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || h.ModTime.Unix() != 0 || h.Format != tar.FormatUSTAR {
			t.Errorf("%+v", h)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		on := filepath.Join(dir, filepath.FromSlash(h.Name))
		info, err := os.Stat(on)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			continue
		}
		if same, err := os.ReadFile(on); err != nil || !bytes.Equal(data, same) {
			t.Errorf("%s: other bytes in the folder, %v", h.Name, err)
		}
	}
	if !slices.IsSorted(names) || len(names) != 2+5+2+2 {
		t.Errorf("%q", names)
	}
	index, err := os.ReadFile(filepath.Join(dir, indexName))
	if err != nil {
		t.Fatal(err)
	}
	redis := c.Entries[1]
	want := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` +
		`{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + string(redis.Digest) + `","size":` + fmt.Sprint(redis.Size) +
		`,"annotations":{"io.containerd.image.name":"` + redis.Reference + `","org.opencontainers.image.ref.name":"redis"}},`
	if !strings.HasPrefix(string(index), want) {
		t.Errorf("got  %s\nwant %s", index, want)
	}
	if marker, err := os.ReadFile(filepath.Join(dir, markerName)); err != nil || string(marker) != goodMarker+"\n" {
		t.Errorf("%q, %v", marker, err)
	}
}

// A folder is an own place, which nothing but success touches.
func TestFolderPlaces(t *testing.T) {
	c, _ := packs(t)
	for name, test := range map[string]struct {
		prepare func(path string) error
		want    string
	}{
		"an empty folder":  {func(path string) error { return os.Mkdir(path, 0o700) }, ""},
		"a folder":         {func(path string) error { return os.MkdirAll(path+"/x", 0o777) }, "bundle is a folder that is not empty"},
		"a file":           {func(path string) error { return os.WriteFile(path, nil, 0o666) }, "bundle is there already"},
		"nothing but free": {func(string) error { return nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "bundle")
			if err := test.prepare(path); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			err = c.WriteFolder(t.Context(), root, "bundle")
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				mustOpen(t, path)
				return
			}
			if fmt.Sprint(err) != test.want || !errors.As(err, new(*regularfile.PlaceError)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if after := tree(t, dir); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
		})
	}
}

// A blob that is wrong, or fails, leaves nothing.
func TestWriteErrors(t *testing.T) {
	broken := errors.New("the line is cut")
	for name, test := range map[string]struct {
		blob Blob
		want string
	}{
		"other bytes": {Blob{Content: contentOf([]byte("xyz")), Open: blob([]byte("xyy")).Open},
			"digest mismatch\n" + verified.Difference(contentOf([]byte("xyy")), contentOf([]byte("xyz")))},
		"fewer bytes": {Blob{Content: contentOf([]byte("xyz")), Open: blob([]byte("xy")).Open}, "size mismatch\n\tgot:  2 bytes\n\twant: 3 bytes"},
		"more bytes":  {Blob{Content: contentOf([]byte("xyz")), Open: blob([]byte("xyz!")).Open}, "size mismatch\n\tgot:  more than 3 bytes\n\twant: 3 bytes"},
		"no source":   {Blob{Content: contentOf([]byte("xyz")), Open: func(context.Context) (io.ReadCloser, error) { return nil, broken }}, broken.Error()},
		"a source that fails": {Blob{Content: contentOf([]byte("xyz")), Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("x"), failing{broken})), nil
		}}, "1 of 3 bytes: the line is cut"},
	} {
		c, _ := packs(t)
		c.Blobs = append(c.Blobs, test.blob)
		for _, k := range kinds {
			t.Run(name+", "+k.name, func(t *testing.T) {
				path, err := k.write(t, c)
				if want := "blob " + string(test.blob.Digest) + ": " + test.want; fmt.Sprint(err) != want {
					t.Errorf("got %v, want %s", err, want)
				}
				if entries, err := os.ReadDir(filepath.Dir(path)); k.name == "folder" && (err != nil || len(entries) > 0) {
					t.Errorf("%v, %v", entries, err)
				}
			})
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A place that fails is another error than a source that does.
func TestFault66e_FullPlace(t *testing.T) {
	c, _ := packs(t)
	c.Blobs = append(c.Blobs, blob(make([]byte, 3*pieceSize)))
	full := errors.New("no space")
	for _, n := range []int{0, 600, pieceSize, 2*pieceSize + 1, 3 * pieceSize} { // the last is for the end
		err := c.WriteArchive(t.Context(), &limited{n, full})
		if !errors.As(err, new(*verified.WriteError)) || !errors.Is(err, full) || strings.Contains(err.Error(), "blob") {
			t.Errorf("%d bytes: %T %v", n, err, err)
		}
	}
}

type limited struct {
	n   int
	err error
}

func (l *limited) Write(p []byte) (int, error) {
	if l.n -= len(p); l.n < 0 {
		return 0, l.err
	}
	return len(p), nil
}

// An archive is written in large pieces of one size, whatever its files are.
func TestPieces(t *testing.T) {
	c, _ := packs(t)
	for i := range 3 {
		c.Blobs = append(c.Blobs, blob(bytes.Repeat([]byte{byte(i)}, pieceSize+1)))
	}
	var pieces sizes
	if err := c.WriteArchive(t.Context(), &pieces); err != nil {
		t.Fatal(err)
	}
	last := len(pieces) - 1
	if last < 3 || slices.ContainsFunc(pieces[:last], func(n int) bool { return n != pieceSize }) || pieces[last] > pieceSize {
		t.Errorf("pieces of %d bytes", pieces)
	}
}

// sizes are those of written pieces.
type sizes []int

func (s *sizes) Write(p []byte) (int, error) { *s = append(*s, len(p)); return len(p), nil }

// A run that is interrupted leaves nothing.
func TestInterrupted(t *testing.T) {
	c, _ := packs(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stop := errors.New("stop")
	for i := range c.Blobs {
		open := c.Blobs[i].Open
		c.Blobs[i].Open = func(ctx context.Context) (io.ReadCloser, error) { cancel(stop); return open(ctx) }
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := c.WriteFolder(ctx, root, "bundle"); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// Of two blobs with one digest, only the first is opened.
func TestSharedBlob(t *testing.T) {
	c, _ := packs(t)
	want := *c.parts()[2].blob
	c.Blobs = append(c.Blobs, Blob{Content: want.Content})
	eachKind(t, c, func(t *testing.T, path string) {
		if err := mustOpen(t, path).Copy(t.Context(), io.Discard, want.Content); err != nil {
			t.Error(err)
		}
	})
}

// What makes no layout is a mistake of the caller.
func TestWrongContents(t *testing.T) {
	one := blob([]byte("x"))
	other := one.Content
	other.Size++
	noBlob := "layout: entry " + string(one.Digest) + " has no blob"
	named := func(name string) Contents { return Contents{Files: map[string][]byte{name: nil}} }
	for _, test := range []struct {
		c    Contents
		want string
	}{
		{Contents{Entries: []Entry{{Content: one.Content}}}, noBlob},
		{Contents{Blobs: []Blob{one}, Entries: []Entry{{Content: other}}}, noBlob},
		{named("index.json"), `layout: no file can have the name "index.json"`},
		{named("oci-layout"), `layout: no file can have the name "oci-layout"`},
		{named("blobs"), `layout: no file can have the name "blobs"`},
		{named("a/b"), `layout: no file can have the name "a/b"`},
		{named(".."), `layout: no file can have the name ".."`},
		{named("."), `layout: no file can have the name "."`},
		{named("./x"), `layout: no file can have the name "./x"`},
		{named(""), `layout: no file can have the name ""`},
	} {
		func() {
			defer func() {
				if p := recover(); p != test.want {
					t.Errorf("got %v, want %s", p, test.want)
				}
			}()
			t.Error(test.c.WriteArchive(t.Context(), io.Discard))
		}()
	}
}

// More files than reach the disk together, and nothing at all.
func TestSizes(t *testing.T) {
	for _, n := range []int{0, 1, together - 1, together, 3*together + 1} {
		var c Contents
		for i := range n {
			c.Blobs = append(c.Blobs, blob(fmt.Append(nil, i)))
		}
		eachKind(t, c, func(t *testing.T, path string) {
			l := mustOpen(t, path)
			for _, b := range c.Blobs {
				if err := l.Copy(t.Context(), io.Discard, b.Content); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A member that the oldest format of headers has no room for.
func TestLargeHeader(t *testing.T) {
	for size, want := range map[int64]tar.Format{maxUSTAR: tar.FormatUSTAR, maxUSTAR + 1: tar.FormatPAX} {
		h := (&part{name: "x", size: size, data: []byte{}}).header()
		if err := tar.NewWriter(io.Discard).WriteHeader(h); err != nil || h.Format != want {
			t.Errorf("%d bytes: %v, %v", size, h.Format, err)
		}
	}
}

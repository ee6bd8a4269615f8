package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
)

func contentOf(data string) verified.Content {
	return verified.Content{Digest: ociref.DigestOf([]byte(data)), Size: int64(len(data))}
}

// writeBundle writes a bundle with blobs and files, and returns its path.
func writeBundle(t *testing.T, files map[string][]byte, blobs ...string) string {
	t.Helper()
	c := layout.Contents{Files: files}
	for _, data := range blobs {
		c.Blobs = append(c.Blobs, layout.Blob{Content: contentOf(data), Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte(data))), nil
		}})
	}
	path := filepath.Join(t.TempDir(), "bundle.tar")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := c.WriteArchive(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	return path
}

// The first bundle that has something counts. What none has is not there.
func TestBundles(t *testing.T) {
	first := writeBundle(t, map[string][]byte{"a.evidence": []byte("1")}, "one")
	second := writeBundle(t, map[string][]byte{"a.evidence": []byte("2"), "b.evidence": []byte("long")}, "one", "two")
	b := NewBundles([]string{first, second})
	defer b.Close()
	if err := b.Open(); err != nil {
		t.Fatal(err)
	}
	for data, has := range map[string]bool{"one": true, "two": true, "three": false} {
		content := contentOf(data)
		body, err := b.Manifest(content.Digest)
		if has != (err == nil) || has && string(body) != data || !has && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("manifest %q: %q, %v", data, body, err)
		}
		if err := b.Check(t.Context(), content); has != (err == nil) || !has && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("blob %q: %v", data, err)
		}
		if b.Has(content.Digest) != has {
			t.Errorf("%q is there: not %v", data, has)
		}
	}
	if got := fmt.Sprintf("%s", b.Files("a.evidence", 3)); got != "[1 2]" {
		t.Errorf("got %s", got)
	}
	if got := b.Files("b.evidence", 3); len(got) != 0 {
		t.Errorf("got %s", got)
	}
}

// Where bundles are the last sources, what has gone from them is asked of no registry.
func TestBundlesAreLast(t *testing.T) {
	path := writeBundle(t, nil, "one")
	for areLast, want := range map[bool]int{false: 1, true: 2} {
		list := NewBundles([]string{path}).List(areLast)
		if len(list) != want || list[0].Path() != path {
			t.Errorf("%v: %v", areLast, list)
		}
	}
	if list := NewBundles(nil).List(true); len(list) != 0 {
		t.Errorf("got %v", list)
	}
	last := NewBundles([]string{path}).List(true)[1]
	_, err := last.Manifest(ociref.DigestOf(nil))
	err2 := last.Copy(t.Context(), io.Discard, contentOf("x"))
	for _, err := range []error{err, err2} {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
}

// A bundle that is not there, is no bundle or lies is an error, and not one that lacks
// something.
func TestBundleErrors(t *testing.T) {
	lies := writeBundle(t, nil, "one")
	data, err := os.ReadFile(lies)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lies, bytes.Replace(data, []byte("one"), []byte("eno"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text.tar")
	if err := os.WriteFile(text, []byte("no archive"), 0o666); err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(t.TempDir(), "absent.tar")
	var gone *fs.PathError
	if _, err := os.Open(absent); !errors.As(err, &gone) {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		text string
		as   any
	}{
		absent: {"cannot read the bundle " + absent + ": " + gone.Err.Error(), new(*UnreadBundleError)},
		text:   {text + " is no tar archive", new(*layout.FormatError)},
		lies:   {"the bundle " + lies + ": digest mismatch\n", new(*verified.MismatchError)},
	} {
		b := NewBundles([]string{path})
		defer b.Close()
		_, err := b.Manifest(contentOf("one").Digest)
		err2 := b.Check(t.Context(), contentOf("one"))
		for _, err := range []error{err, err2} {
			if err == nil || errors.Is(err, fs.ErrNotExist) || !errors.As(err, want.as) || !bytes.HasPrefix([]byte(err.Error()), []byte(want.text)) {
				t.Errorf("got %v, want %s", err, want.text)
			}
		}
		var unread *UnreadBundleError
		if errors.As(err, &unread) && unread.IsMissing() != (path == absent) {
			t.Errorf("%s is missing: %v", path, unread.IsMissing())
		}
	}
}

// A write that fails is the destination's error.
func TestBundleWriteError(t *testing.T) {
	b := NewBundles([]string{writeBundle(t, nil, "one")})
	defer b.Close()
	full := errors.New("full")
	err := b.List(false)[0].Copy(t.Context(), failing{full}, contentOf("one"))
	var write *verified.WriteError
	if !errors.As(err, &write) || !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

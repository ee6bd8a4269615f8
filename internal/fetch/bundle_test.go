package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/layout"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/verified"
)

// bundle writes a bundle with the fixture's pack, and with what it is called but is not.
func (b *fixture) bundle(t *testing.T, withManifest bool) func(*fetch.Options) {
	t.Helper()
	body, err := b.fetcher(t).ManifestOf(t.Context(), parse(b.byDigest()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	c := layout.Contents{}
	for _, data := range [][]byte{b.data, body} {
		if withManifest || &data[0] == &b.data[0] {
			c.Blobs = append(c.Blobs, layout.Blob{Content: verified.Content{Digest: ociref.DigestOf(data), Size: int64(len(data))}, Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(data)), nil
			}})
		}
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := c.WriteFolder(t.Context(), root, "bundle"); err != nil {
		t.Fatal(err)
	}
	b.reg.ResetRequests()
	return func(o *fetch.Options) { o.Bundles = []string{filepath.Join(dir, "bundle")} }
}

// By digest, a bundle answers without any request, online and offline. The cache gets nothing
// of it but by ToCache.
func TestFromBundle(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	bundled := b.bundle(t, true)
	for _, change := range [][]func(*fetch.Options){{bundled}, {bundled, offline}} {
		f := b.fetcher(t, append(change, noNetwork(t))...)
		p, err := f.Resolve(t.Context(), parse(b.byDigest()), "")
		if err != nil {
			t.Fatal(err)
		}
		var got sink
		fetched, err := f.Copy(t.Context(), p, &got)
		if err != nil || fetched || !bytes.Equal(got.Bytes(), b.data) || !f.CameFromBundle(p) {
			t.Errorf("%d bytes, fetched %v, %v", got.Len(), fetched, err)
		}
		var blob sink
		content := verified.Content{Digest: ociref.DigestOf(b.data), Size: int64(len(b.data))}
		fetched, err = f.CopyBlob(t.Context(), parse(b.byDigest()), content, &blob)
		if err != nil || fetched || !bytes.Equal(blob.Bytes(), b.data) {
			t.Errorf("blob: %d bytes, fetched %v, %v", blob.Len(), fetched, err)
		}
		if _, err := os.Stat(b.dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a cache: %v", err)
		}
	}
	f := b.fetcher(t, bundled, offline, noNetwork(t))
	p, err := f.Resolve(t.Context(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	result, err := f.ToCache(t.Context(), p)
	if err != nil || result.FetchedFromNetwork || result.Path != b.file("pack.gtpack") {
		t.Errorf("%+v, %v", result, err)
	}
	b.fetch(t, b.offline(t)) // the cache alone has it now
}

// What a bundle does not have is asked of the registry. A bundle without the manifest still
// has the bytes.
func TestFromBundleInPart(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	bundled := b.bundle(t, false)
	f := b.fetcher(t, bundled)
	if got, err := fetchBytes(t.Context(), f, b.byDigest()); err != nil || !bytes.Equal(got, b.data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	wantRequests(t, b.reg, "GET /v2/", b.manifestLine())
	// A tag is never a bundle's.
	b.reg.ResetRequests()
	f = b.fetcher(t, bundled, allowTags)
	if got, err := fetchBytes(t.Context(), f, b.byTag()); err != nil || !bytes.Equal(got, b.data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	wantRequests(t, b.reg, "GET /v2/", "GET /v2/"+repository+"/manifests/1.0")
	// packs.lock knows the layer: offline that is enough.
	f = b.fetcher(t, bundled, offline, noNetwork(t))
	p, err := f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, b.layer(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	var got sink
	if _, err := f.Copy(t.Context(), p, &got); err != nil || !bytes.Equal(got.Bytes(), b.data) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
}

// Import fills the entry of a pack once, and mends a wrong one.
func TestImport(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t, b.bundle(t, true), offline, noNetwork(t))
	p, err := f.Resolve(t.Context(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true} {
		if i == 2 {
			if err := os.WriteFile(b.file("pack.gtpack"), make([]byte, len(b.data)), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if imported, err := f.Import(t.Context(), p); err != nil || imported != want {
			t.Errorf("%d: imported %v, %v", i, imported, err)
		}
	}
	b.fetch(t, b.offline(t))
	other, err := f.Resolve(t.Context(), parse(b.byDigest()), b.pushed.Layers[0].String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Import(t.Context(), other); err != nil && !errors.Is(err, fetch.ErrNotShared) {
		t.Errorf("got %v", err)
	}
}

// Another client may keep another layer of the manifest: Import leaves that alone, as a fetch does.
func TestImportLeavesAnotherLayerAlone(t *testing.T) {
	b, other := twoLayers(t)
	f := b.fetcher(t, b.bundle(t, true), offline, noNetwork(t))
	b.rustEntry(t, other)
	p, err := f.Resolve(t.Context(), parse(b.byDigest()), "")
	if err != nil {
		t.Fatal(err)
	}
	if imported, err := f.Import(t.Context(), p); imported || !errors.Is(err, fetch.ErrNotShared) {
		t.Errorf("imported %v, %v", imported, err)
	}
	wantBytes(t, read(t, b.file("pack.gtpack")), other)
}

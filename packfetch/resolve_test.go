package packfetch_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
)

func TestResolve(t *testing.T) {
	b := newBed(t, packtest.Options{})
	f := b.fetcher(t, allowTags)
	for reference, tag := range map[string]string{b.byTag(): "1.0", b.byDigest(): "", b.byTag() + "@" + b.pushed.ManifestDigest.String(): ""} {
		p, err := f.Resolve(context.Background(), reference, "")
		if err != nil {
			t.Fatal(err)
		}
		layer := b.layer()
		layer.Title = "bed.gtpack"
		if p.Reference != reference || p.Tag != tag || p.ManifestDigest != b.pushed.ManifestDigest || p.IndexDigest != "" ||
			p.Digest() != p.ManifestDigest || p.Layer != layer || len(p.Layers) != 1 || p.Annotations["org.opencontainers.image.version"] != "1.0.0" {
			t.Errorf("%s: got %+v", reference, p)
		}
	}
	b.wantFiles(t, "manifest.json") // which others need not ask for again
}

func TestResolveRemoteAsksWhateverIsCached(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	p, err := b.fetcher(t).ResolveRemote(context.Background(), b.byDigest(), "")
	if err != nil || p.Layer.Digest != b.layer().Digest {
		t.Errorf("got %+v, %v", p, err)
	}
	b.wantRequests(t, "GET /v2/", b.manifestLine())
	_, err = b.offline(t).ResolveRemote(context.Background(), b.byDigest(), "")
	as[*packfetch.OfflineError](t, err)
}

func TestResolveCached(t *testing.T) {
	b := newBed(t, packtest.Options{})
	f := b.offline(t)
	_, err := f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, "")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	b.fill(t)
	p, err := f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, "")
	if err != nil || p.Layer.Digest != b.layer().Digest || p.ManifestDigest != b.pushed.ManifestDigest {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, "image/png")
	wantText(t, err, fmt.Sprintf(`cannot use %s: no layer is "image/png" (%q %s)`, b.byTag(), packtest.PackMediaType, b.pushed.Layers[0]))
	write(t, b.file("manifest.json"), []byte("{}"))
	if _, err := f.ResolveCached(b.byTag(), b.pushed.ManifestDigest, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("corrupt: got %v, want fs.ErrNotExist", err)
	}
}

func TestPinned(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	os.Remove(b.file("manifest.json"))
	f := b.offline(t)
	got, fetched, err := b.copyPinned(f, b.pushed.ManifestDigest, b.layer(), "")
	if fetched || err != nil {
		t.Errorf("got %t, %v", fetched, err)
	}
	wantBytes(t, got, b.data)
	b.wantFiles(t, "metadata.json", "pack.gtpack") // there was no manifest to heal it with

	_, _, err = b.copyPinned(f, ociref.DigestOf(nil), b.layer(), "")
	as[*packfetch.OfflineError](t, err)
	_, _, err = b.copyPinned(f, b.pushed.ManifestDigest, b.layer(), b.layer().Digest)
	as[*packfetch.OfflineError](t, err)

	bad := b.layer()
	bad.Size = -1
	_, err = f.Pinned(b.byDigest(), b.pushed.ManifestDigest, bad, "")
	as[*packfetch.ManifestError](t, err)
}

// copyPinned copies a pinned pack.
func (b *bed) copyPinned(f *packfetch.Fetcher, manifest ociref.Digest, layer packfetch.Layer, override string) ([]byte, bool, error) {
	p, err := f.Pinned(b.byTag(), manifest, layer, override)
	if err != nil {
		return nil, false, err
	}
	var s sink
	fetched, err := f.Copy(context.Background(), p, &s)
	return s.Bytes(), fetched, err
}

// With a network a pinned pack is proven by its manifest, wherever its bytes are.
func TestPinnedOnline(t *testing.T) {
	b := newBed(t, packtest.Options{})
	titled := packtest.MustPush(t, b.reg, repository, "", packtest.Pack(b.data, "pack.gtpack"))
	manifest, blob := "GET /v2/"+repository+"/manifests/"+titled.ManifestDigest.String(), b.blobLine()
	entry := filepath.Join(b.dir, titled.ManifestDigest.Hex())
	layer := b.layer()
	for _, test := range []struct {
		name, override string
		prepare        func()
		requests       []string
	}{
		{"cold", "", func() { os.RemoveAll(b.dir) }, []string{"GET /v2/", manifest, blob}},
		{"warm", "", func() {}, nil},
		{"no manifest", "", func() { os.Remove(filepath.Join(entry, "manifest.json")) }, []string{"GET /v2/", manifest}},
		{"no pack", "", func() { os.Remove(filepath.Join(entry, "pack.gtpack")) }, []string{"GET /v2/", blob}},
		{"named by digest", layer.Digest, func() { os.RemoveAll(b.dir) }, []string{"GET /v2/", manifest, blob}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.prepare()
			b.reg.ResetRequests()
			got, fetched, err := b.copyPinned(b.fetcher(t), titled.ManifestDigest, layer, test.override)
			if want := slices.Contains(test.requests, blob); fetched != want || err != nil {
				t.Errorf("got %t, %v, want %t", fetched, err, want)
			}
			wantBytes(t, got, b.data)
			b.wantRequests(t, test.requests...)
			wantEntry(t, entry)
		})
	}
}

// wantEntry sees that an entry has all its files, and nothing else.
func wantEntry(t *testing.T, dir string) {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"manifest.json", "metadata.json", "pack.gtpack"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
}

// What a manifest does not say of its pack is not copied, nor asked for.
func TestPinnedOtherwise(t *testing.T) {
	b := newShelf(t)
	index := b.index(t, b.pushed.Child())
	for name, test := range map[string]struct {
		manifest ociref.Digest
		change   func(*packfetch.Layer)
	}{
		"digest":     {b.pushed.ManifestDigest, func(l *packfetch.Layer) { l.Digest = ociref.DigestOf(nil).String() }},
		"size":       {b.pushed.ManifestDigest, func(l *packfetch.Layer) { l.Size++ }},
		"media type": {b.pushed.ManifestDigest, func(l *packfetch.Layer) { l.MediaType = "application/zip" }},
		"index":      {index, func(*packfetch.Layer) {}},
	} {
		t.Run(name, func(t *testing.T) {
			layer := b.layer()
			test.change(&layer)
			got, fetched, err := b.copyPinned(b.fetcher(t), test.manifest, layer, "")
			e := as[*packfetch.PinError](t, err)
			if len(got) > 0 || fetched || e.Found.ManifestDigest != b.pushed.ManifestDigest || e.Found.Layer.Digest != b.layer().Digest {
				t.Errorf("got %d bytes, %t, %+v", len(got), fetched, e.Found)
			}
			if want := b.byTag() + " is " + b.layer().Digest + ", which is not what it was pinned to"; err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if n := b.count(b.blobLine()); n > 0 {
				t.Errorf("%d requests for the blob", n)
			}
		})
	}
}

func TestFollow(t *testing.T) {
	b := newBed(t, packtest.Options{})
	newer := packtest.MustPush(t, b.reg, repository, "", packtest.Pack(packtest.Zip("bed", "1.0.1", 0), ""))
	tag := "/v2/" + repository + "/manifests/1.0"
	for name, test := range map[string]struct {
		fault    packtest.Fault
		digest   ociref.Digest
		moved    bool
		requests []string
	}{
		"unchanged":            {digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag}},
		"moved":                {digest: newer.ManifestDigest, moved: true, requests: []string{"HEAD " + tag, "GET " + tag}},
		"no header":            {fault: packtest.LyingDigest("1.0", ""), digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag, "GET " + tag}},
		"header says it moved": {fault: packtest.LyingDigest("1.0", newer.ManifestDigest), digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag, "GET " + tag}},
	} {
		t.Run(name, func(t *testing.T) {
			b.reg.Inject()
			if test.fault.Match != nil {
				b.reg.Inject(test.fault)
			}
			b.reg.ResetRequests()
			p, err := b.fetcher(t, allowTags).Follow(context.Background(), b.byTag()+"@"+test.digest.String(), test.digest, "")
			if err != nil || (p != nil) != test.moved {
				t.Fatalf("got %+v, %v", p, err)
			}
			if p != nil && (p.ManifestDigest != b.pushed.ManifestDigest || p.Tag != "1.0") {
				t.Errorf("got %+v", p)
			}
			b.wantRequests(t, append([]string{"GET /v2/"}, test.requests...)...)
		})
	}
	_, err := b.offline(t).Follow(context.Background(), b.byTag(), newer.ManifestDigest, "")
	as[*packfetch.OfflineError](t, err)
}

// Following a tag is what the caller asked for: the zero Options allow it.
func TestFollowNeedsNoLeave(t *testing.T) {
	b := newBed(t, packtest.Options{})
	p, err := b.fetcher(t).Follow(context.Background(), b.byTag()+"@"+ociref.DigestOf(nil).String(), ociref.DigestOf(nil), "")
	if err != nil || p == nil || p.ManifestDigest != b.pushed.ManifestDigest {
		t.Errorf("got %+v, %v", p, err)
	}
}

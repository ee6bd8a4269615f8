package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/packtest/fault"
	"github.com/greenticai/packvendor/internal/registry"
)

func TestResolve(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t, allowTags)
	for reference, tag := range map[string]string{b.byTag(): "1.0", b.byDigest(): "", b.byTag() + "@" + b.pushed.ManifestDigest.String(): ""} {
		p, err := f.Resolve(context.Background(), parse(reference), "")
		if err != nil {
			t.Fatal(err)
		}
		layer := b.layer()
		layer.Title = "bed.gtpack"
		if p.Reference != parse(reference) || p.Tag != tag || p.ManifestDigest != b.pushed.ManifestDigest || p.IndexDigest != "" ||
			p.Digest() != p.ManifestDigest || p.Layer != layer || len(p.Layers) != 1 || p.Annotations["org.opencontainers.image.version"] != "1.0.0" {
			t.Errorf("%s: got %+v", reference, p)
		}
	}
	b.wantFiles(t, "manifest.json") // which others need not ask for again
}

func TestResolveRemoteAsksWhateverIsCached(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	p, err := b.fetcher(t).ResolveRemote(context.Background(), parse(b.byDigest()), "")
	if err != nil || p.Layer.Digest != b.layer().Digest {
		t.Errorf("got %+v, %v", p, err)
	}
	b.wantRequests(t, "GET /v2/", b.manifestLine())
	_, err = b.offline(t).ResolveRemote(context.Background(), parse(b.byDigest()), "")
	as[*fetch.OfflineError](t, err)
}

func TestResolveCached(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.offline(t)
	_, err := f.ResolveCached(parse(b.byTag()), b.pushed.ManifestDigest, "")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	b.fill(t)
	p, err := f.ResolveCached(parse(b.byTag()), b.pushed.ManifestDigest, "")
	if err != nil || p.Layer.Digest != b.layer().Digest || p.ManifestDigest != b.pushed.ManifestDigest {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = f.ResolveCached(parse(b.byTag()), b.pushed.ManifestDigest, "image/png")
	wantText(t, err, fmt.Sprintf(`cannot use %s: no layer is "image/png" (%q %s)`, b.byTag(), packtest.PackMediaType, b.pushed.Layers[0]))
	write(t, b.file("manifest.json"), []byte("{}"))
	if _, err := f.ResolveCached(parse(b.byTag()), b.pushed.ManifestDigest, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("corrupt: got %v, want fs.ErrNotExist", err)
	}
}

func TestPinned(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	os.Remove(b.file("manifest.json"))
	for _, f := range []*fetch.Fetcher{b.offline(t), b.fetcher(t, noNetwork(t))} {
		p, err := f.FromLock(parse(b.byTag()), b.pushed.ManifestDigest, b.layer(), "")
		if err != nil {
			t.Fatal(err)
		}
		var s sink
		fetched, err := f.Copy(context.Background(), p, &s)
		if fetched || err != nil {
			t.Errorf("got %t, %v", fetched, err)
		}
		wantBytes(t, s.Bytes(), b.data)
	}
	b.wantFiles(t, "metadata.json", "pack.gtpack") // there was no manifest to heal it with

	f := b.offline(t)
	p, err := f.FromLock(parse(b.byDigest()), ociref.DigestOf(nil), b.layer(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Copy(context.Background(), p, &sink{})
	as[*fetch.OfflineError](t, err)

	p, err = f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, b.layer(), b.layer().Digest)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Copy(context.Background(), p, &sink{})
	as[*fetch.OfflineError](t, err)

	bad := b.layer()
	bad.Size = -1
	_, err = f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, bad, "")
	as[*fetch.ManifestError](t, err)
}

func TestFollow(t *testing.T) {
	b := newFixture(t, packtest.Options{})
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
		"no header":            {fault: fault.LyingDigest("1.0", ""), digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag, "GET " + tag}},
		"header says it moved": {fault: fault.LyingDigest("1.0", newer.ManifestDigest), digest: b.pushed.ManifestDigest, requests: []string{"HEAD " + tag, "GET " + tag}},
	} {
		t.Run(name, func(t *testing.T) {
			b.reg.Inject()
			if test.fault.Match != nil {
				b.reg.Inject(test.fault)
			}
			b.reg.ResetRequests()
			p, err := b.fetcher(t, allowTags).Follow(context.Background(), parse(b.byTag()+"@"+test.digest.String()), test.digest, "")
			if err != nil || (p != nil) != test.moved {
				t.Fatalf("got %+v, %v", p, err)
			}
			if p != nil && (p.ManifestDigest != b.pushed.ManifestDigest || p.Tag != "1.0") {
				t.Errorf("got %+v", p)
			}
			b.wantRequests(t, append([]string{"GET /v2/"}, test.requests...)...)
		})
	}
	_, err := b.offline(t).Follow(context.Background(), parse(b.byTag()), newer.ManifestDigest, "")
	as[*fetch.OfflineError](t, err)
}

// What a tag names is known also where that is no pack, and is never believed of a
// header alone.
func TestTagDigest(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	none := packtest.MustPush(t, b.reg, repository, "none", packtest.Artifact{Layers: []packtest.Layer{{MediaType: "text/html", Data: []byte("x")}}})
	other := ociref.DigestOf(nil)
	tag, noPack := "/v2/"+repository+"/manifests/1.0", "/v2/"+repository+"/manifests/none"
	for name, test := range map[string]struct {
		tag      string
		fault    packtest.Fault
		digest   ociref.Digest
		want     ociref.Digest
		isPack   bool
		requests []string
	}{
		"unchanged":            {tag: "1.0", digest: b.pushed.ManifestDigest, want: b.pushed.ManifestDigest, isPack: true, requests: []string{"HEAD " + tag}},
		"moved":                {tag: "1.0", digest: other, want: b.pushed.ManifestDigest, isPack: true, requests: []string{"HEAD " + tag, "GET " + tag}},
		"header says it moved": {tag: "1.0", fault: fault.LyingDigest("1.0", other), digest: b.pushed.ManifestDigest, want: b.pushed.ManifestDigest, isPack: true, requests: []string{"HEAD " + tag, "GET " + tag}},
		"no pack":              {tag: "none", digest: other, want: none.ManifestDigest, requests: []string{"HEAD " + noPack, "GET " + noPack}},
	} {
		t.Run(name, func(t *testing.T) {
			b.reg.Inject()
			if test.fault.Match != nil {
				b.reg.Inject(test.fault)
			}
			b.reg.ResetRequests()
			reference := b.reg.Host() + "/" + repository + ":" + test.tag + "@" + string(test.digest)
			now, isPack, err := b.fetcher(t).TagDigest(context.Background(), parse(reference), test.digest, "")
			if err != nil || now != test.want || isPack != test.isPack {
				t.Errorf("got %s, %v, %v", now, isPack, err)
			}
			b.wantRequests(t, append([]string{"GET /v2/"}, test.requests...)...)
		})
	}
	_, _, err := b.offline(t).TagDigest(context.Background(), parse(b.byTag()), other, "")
	as[*fetch.OfflineError](t, err)
	_, _, err = b.fetcher(t).TagDigest(context.Background(), parse(b.byDigest()), other, "")
	as[*ociref.SyntaxError](t, err)
	_, _, err = b.fetcher(t).TagDigest(context.Background(), parse(b.byTag()+"x"), other, "")
	if e := as[*registry.Error](t, err); !e.IsNotFound() {
		t.Errorf("got %v", e)
	}
}

// Annotations are believed of the very bytes that the digest names.
func TestCachedAnnotations(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	f := b.fetcher(t)
	if got := f.CachedAnnotations(b.pushed.ManifestDigest); got != nil {
		t.Errorf("got %v of an empty cache", got)
	}
	if _, err := fetchBytes(context.Background(), f, b.byDigest()); err != nil {
		t.Fatal(err)
	}
	if got := f.CachedAnnotations(b.pushed.ManifestDigest)["org.opencontainers.image.version"]; got != "1.0.0" {
		t.Errorf("got %q", got)
	}
	name := filepath.Join(b.dir, b.pushed.ManifestDigest.Hex(), "manifest.json")
	if err := os.WriteFile(name, []byte(`{"annotations":{"org.opencontainers.image.version":"2.0.0"},"layers":[]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := f.CachedAnnotations(b.pushed.ManifestDigest); got != nil {
		t.Errorf("got %v of other bytes", got)
	}
}

// Following a tag is what the caller asked for: the zero Options allow it.
func TestFollowNeedsNoLeave(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	p, err := b.fetcher(t).Follow(context.Background(), parse(b.byTag()+"@"+ociref.DigestOf(nil).String()), ociref.DigestOf(nil), "")
	if err != nil || p == nil || p.ManifestDigest != b.pushed.ManifestDigest {
		t.Errorf("got %+v, %v", p, err)
	}
}

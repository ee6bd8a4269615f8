package fetch_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packtest"
)

// rustEntry writes the pack's cache entry as greentic-distributor-client does:
// pack.gtpack and metadata.json, and no manifest.
func (b *fixture) rustEntry(t *testing.T, pack []byte) (metadata []byte) {
	t.Helper()
	digest := b.pushed.ManifestDigest.String()
	metadata, err := json.Marshal(map[string]any{
		"original_reference":      "oci://" + b.byTag(),
		"resolved_digest":         digest,
		"media_type":              packtest.PackMediaType,
		"fetched_at_unix_seconds": 1700000000,
		"size_bytes":              len(b.data),
		"manifest_digest":         digest,
		"manifest_annotations":    nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, b.file("pack.gtpack"), pack)
	write(t, b.file("metadata.json"), metadata)
	return metadata
}

func TestRustEntryOnline(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.rustEntry(t, b.data)
	f := b.fetcher(t)
	if result := b.fetchToCache(t, f); result.FetchedFromNetwork || result.Path != b.file("pack.gtpack") {
		t.Errorf("got %+v", result)
	}
	b.wantRequests(t, "GET /v2/", b.manifestLine())
	b.wantWhole(t)
	b.wantMetadata(t) // whose annotations were missing
	b.events.wantNone(t)

	b.reg.ResetRequests()
	b.fetch(t, f)
	b.fetch(t, b.offline(t))
	b.wantRequests(t)
}

func TestRustEntryOffline(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.rustEntry(t, b.data)
	f := b.offline(t)
	_, err := fetchBytes(context.Background(), f, b.byDigest())
	wantText(t, err, b.byDigest()+" is cached without its manifest, so it cannot be verified offline")
	if e := as[*fetch.OfflineError](t, err); !e.NoManifest || e.Reference != b.byDigest() {
		t.Errorf("got %+v", e)
	}

	p, err := f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, b.layer(), "")
	if err != nil {
		t.Fatal(err)
	}
	var s sink
	if fetched, err := f.Copy(context.Background(), p, &s); fetched || err != nil {
		t.Errorf("got %t, %v", fetched, err)
	}
	wantBytes(t, s.Bytes(), b.data)
	b.wantFiles(t, "metadata.json", "pack.gtpack")
}

// metadataOf returns metadata.json as one line, but for its time.
func metadataOf(t *testing.T, b *fixture) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(read(t, b.file("metadata.json")), &m); err != nil {
		t.Fatal(err)
	}
	if seconds, _ := m["fetched_at_unix_seconds"].(float64); seconds < 1e9 {
		t.Errorf("fetched at %v", m["fetched_at_unix_seconds"])
	}
	delete(m, "fetched_at_unix_seconds")
	line, _ := json.Marshal(m)
	return string(line)
}

func TestMetadata(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	b.wantMetadata(t)
}

// wantMetadata wants metadata.json to say what the manifest does.
func (b *fixture) wantMetadata(t *testing.T) {
	t.Helper()
	digest := b.pushed.ManifestDigest.String()
	want, _ := json.Marshal(map[string]any{
		"original_reference": b.byDigest(), "resolved_digest": digest, "media_type": packtest.PackMediaType,
		"size_bytes": len(b.data), "manifest_digest": digest,
		"manifest_annotations": map[string]string{"org.opencontainers.image.version": "1.0.0"},
	})
	if got := metadataOf(t, b); got != string(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// twoLayers is a fixture whose manifest holds a pack and another accepted layer.
func twoLayers(t *testing.T) (b *fixture, other []byte) {
	t.Helper()
	data, other := packtest.Zip("two", "1.0.0", 100), []byte("# other")
	b = newFixtureOf(t, packtest.Options{}, data, packtest.Artifact{Layers: []packtest.Layer{
		{Data: data}, {MediaType: "text/markdown", Data: other}}})
	return b, other
}

// Another client may select another layer: its entry is a miss, not
// corruption, and stays as it is.
func TestEntryWithAnotherLayerIsLeftAlone(t *testing.T) {
	b, other := twoLayers(t)
	metadata := b.rustEntry(t, other)
	var waited time.Duration
	for range 2 {
		b.fetch(t, b.fetcher(t, sleeps(&waited, func() {})))
	}
	if waited > 0 {
		t.Errorf("the entry was looked at again for %v", waited) // though it is the shorter one
	}
	result := b.fetchToCache(t, b.fetcher(t))
	if !result.FetchedFromNetwork {
		t.Errorf("got %+v", result)
	}
	b.wantTemporary(t, result.Path)
	b.wantFiles(t, "manifest.json", "metadata.json", "pack.gtpack")
	wantBytes(t, read(t, b.file("pack.gtpack")), other)
	wantBytes(t, read(t, b.file("metadata.json")), metadata)
	b.events.wantNone(t)
}

func TestLayerOverrideBypassesTheEntry(t *testing.T) {
	b, other := twoLayers(t)
	for _, override := range []string{"text/markdown", b.pushed.Layers[1].String()} {
		f := b.fetcher(t)
		p, err := f.Resolve(context.Background(), parse(b.byDigest()), override)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			var s sink
			if fetched, err := f.Copy(context.Background(), p, &s); !fetched || err != nil {
				t.Errorf("%s: got %t, %v", override, fetched, err)
			}
			wantBytes(t, s.Bytes(), other)
		}
	}
	b.wantFiles(t, "manifest.json")
	b.fill(t)
	f := b.offline(t)
	p, err := f.Resolve(context.Background(), parse(b.byDigest()), "text/markdown")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Copy(context.Background(), p, &sink{})
	as[*fetch.OfflineError](t, err)
	b.wantWhole(t)
}

// An override that names what the rules select anyway shares the entry.
func TestLayerOverrideOfTheDefault(t *testing.T) {
	b, _ := twoLayers(t)
	f := b.fetcher(t)
	p, err := f.Resolve(context.Background(), parse(b.byDigest()), packtest.PackMediaType)
	if err != nil {
		t.Fatal(err)
	}
	if fetched, err := f.Copy(context.Background(), p, &sink{}); !fetched || err != nil {
		t.Errorf("got %t, %v", fetched, err)
	}
	b.wantWhole(t)
}

// The entry is named after the manifest, not after what a reference says.
func TestOneEntryForEveryName(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	if _, err := b.reg.PutManifest("other/name", "", b.pushed.MediaType, b.pushed.Manifest); err != nil {
		t.Fatal(err)
	}
	b.fill(t)
	got, err := fetchBytes(context.Background(), b.fetcher(t), b.reg.Host()+"/other/name@"+b.pushed.ManifestDigest.String())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
	b.wantRequests(t)
}

package packfetch_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/packfetch"
)

// rustEntry writes the pack's cache entry as greentic-distributor-client does:
// pack.gtpack and metadata.json, and no manifest.
func (b *bed) rustEntry(t *testing.T, pack []byte) (metadata []byte) {
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
	b := newBed(t, packtest.Options{})
	metadata := b.rustEntry(t, b.data)
	f := b.fetcher(t)
	if result := b.fetchToCache(t, f); result.FetchedFromNetwork || result.Path != b.file("pack.gtpack") {
		t.Errorf("got %+v", result)
	}
	b.wantRequests(t, "GET /v2/", b.manifestLine())
	b.wantWhole(t)
	wantBytes(t, read(t, b.file("metadata.json")), metadata) // it was right
	b.events.wantNone(t)

	b.reg.ResetRequests()
	b.fetch(t, f)
	b.fetch(t, b.offline(t))
	b.wantRequests(t)
}

func TestRustEntryOffline(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.rustEntry(t, b.data)
	f := b.offline(t)
	_, err := f.Fetch(context.Background(), b.byDigest())
	wantText(t, err, b.byDigest()+" is cached without its manifest, so it cannot be verified offline")
	if e := as[*packfetch.OfflineError](t, err); !e.NoManifest || e.Reference != b.byDigest() {
		t.Errorf("got %+v", e)
	}

	p, err := f.Pinned(b.byDigest(), b.pushed.ManifestDigest, b.layer(), "")
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

// wrongPacks are what may stand where the pack should.
func wrongPacks(data []byte) map[string][]byte {
	flipped := append([]byte{}, data...)
	flipped[len(flipped)/2] ^= 1
	return map[string][]byte{
		"34 truncated":            data[:len(data)/2],
		"34 emptied":              {},
		"34 one bit flipped":      flipped,
		"34 longer":               append(append([]byte{}, data...), 0),
		"35 another pack's bytes": packtest.Zip("another", "1.0.0", 1000),
	}
}

func TestFault34_35_CorruptPackOnline(t *testing.T) {
	for name, wrong := range wrongPacks(packtest.Zip("bed", "1.0.0", 1000)) {
		for by, spoil := range map[string]func(*testing.T, *bed){
			"ours":  func(t *testing.T, b *bed) { b.fill(t); write(t, b.file("pack.gtpack"), wrong) },
			"rusts": func(t *testing.T, b *bed) { b.rustEntry(t, wrong) },
		} {
			t.Run(name+" "+by, func(t *testing.T) {
				b := newBed(t, packtest.Options{})
				spoil(t, b)
				result := b.fetchToCache(t, b.fetcher(t))
				if !result.FetchedFromNetwork || result.Path != b.file("pack.gtpack") {
					t.Errorf("got %+v", result)
				}
				b.wantWhole(t)
				if n := b.count(b.blobLine()); n != 1 {
					t.Errorf("%d blob requests, want 1", n)
				}
				event := one[packfetch.CorruptEntry](t, b.events)
				if event.Reference != b.byDigest() || event.Err.Path != b.file("pack.gtpack") {
					t.Errorf("got %+v", event)
				}
				as[*packfetch.DigestMismatchError](t, event.Err)

				b.reg.ResetRequests()
				b.fetch(t, b.offline(t))
			})
		}
	}
}

func TestFault34_35_CorruptPackOffline(t *testing.T) {
	for name, wrong := range wrongPacks(packtest.Zip("bed", "1.0.0", 1000)) {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, packtest.Options{})
			b.fill(t)
			write(t, b.file("pack.gtpack"), wrong)
			f := b.offline(t)
			_, err := f.Fetch(context.Background(), b.byDigest())
			e := as[*packfetch.CorruptCacheError](t, err)
			mismatch := as[*packfetch.DigestMismatchError](t, err)
			if e.Path != b.file("pack.gtpack") || mismatch.Want.Digest != b.pushed.Layers[0] {
				t.Errorf("got %+v, %+v", e, mismatch)
			}
			p, err := f.Pinned(b.byDigest(), b.pushed.ManifestDigest, b.layer(), "")
			if err != nil {
				t.Fatal(err)
			}
			var s sink
			if _, err := f.Copy(context.Background(), p, &s); err == nil || s.Len() > 0 {
				t.Errorf("Copy: got %v and %d bytes", err, s.Len())
			}
			wantBytes(t, read(t, b.file("pack.gtpack")), wrong) // offline nothing is replaced
		})
	}
}

func TestFault37_ProofMissingOrCorrupt(t *testing.T) {
	for name, test := range map[string]struct {
		spoil    func(*testing.T, *bed)
		manifest bool // it takes a request
		event    bool
	}{
		"manifest missing": {spoil: func(t *testing.T, b *bed) { os.Remove(b.file("manifest.json")) }, manifest: true},
		"manifest corrupt": {spoil: func(t *testing.T, b *bed) { write(t, b.file("manifest.json"), []byte("{}")) }, manifest: true, event: true},
		"manifest empty":   {spoil: func(t *testing.T, b *bed) { write(t, b.file("manifest.json"), nil) }, manifest: true, event: true},
		"manifest a folder": {spoil: func(t *testing.T, b *bed) {
			os.Remove(b.file("manifest.json"))
			os.Mkdir(b.file("manifest.json"), 0o777)
		}, manifest: true, event: true},
		"metadata missing":   {spoil: func(t *testing.T, b *bed) { os.Remove(b.file("metadata.json")) }},
		"metadata truncated": {spoil: func(t *testing.T, b *bed) { write(t, b.file("metadata.json"), []byte(`{"original_`)) }},
		"metadata lies":      {spoil: func(t *testing.T, b *bed) { write(t, b.file("metadata.json"), []byte(`{"size_bytes":1}`)) }},
		"both missing":       {spoil: func(t *testing.T, b *bed) { os.Remove(b.file("manifest.json")); os.Remove(b.file("metadata.json")) }, manifest: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, packtest.Options{})
			b.fill(t)
			metadata := metadataOf(t, b)
			test.spoil(t, b)
			if result := b.fetchToCache(t, b.fetcher(t)); result.FetchedFromNetwork {
				t.Error("the pack was fetched again")
			}
			if test.manifest {
				b.wantRequests(t, "GET /v2/", b.manifestLine())
			} else {
				b.wantRequests(t)
			}
			if test.event {
				if event := one[packfetch.CorruptEntry](t, b.events); event.Err.Path != b.file("manifest.json") {
					t.Errorf("got %+v", event)
				}
			} else {
				b.events.wantNone(t)
			}
			if name == "manifest a folder" {
				return // which is not removed for a courtesy
			}
			b.wantWhole(t)
			if healed := metadataOf(t, b); healed != metadata {
				t.Errorf("metadata: got %s, want %s", healed, metadata)
			}
		})
	}
}

// metadataOf returns metadata.json as one line, but for its time.
func metadataOf(t *testing.T, b *bed) string {
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
	b := newBed(t, packtest.Options{})
	b.fill(t)
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

func TestFault37_CorruptManifestOffline(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	write(t, b.file("manifest.json"), []byte("{}"))
	_, err := b.offline(t).Fetch(context.Background(), b.byDigest())
	if e := as[*packfetch.CorruptCacheError](t, err); e.Path != b.file("manifest.json") {
		t.Errorf("got %+v", e)
	}
	wantBytes(t, read(t, b.file("manifest.json")), []byte("{}"))
}

// twoLayers is a bed whose manifest holds a pack and another accepted layer.
func twoLayers(t *testing.T) (b *bed, other []byte) {
	t.Helper()
	data, other := packtest.Zip("two", "1.0.0", 100), []byte("# other")
	b = newBedOf(t, packtest.Options{}, data, packtest.Artifact{Layers: []packtest.Layer{
		{Data: data}, {MediaType: "text/markdown", Data: other}}})
	return b, other
}

// Another client may select another layer: its entry is a miss, not
// corruption, and stays as it is.
func TestEntryWithAnotherLayerIsLeftAlone(t *testing.T) {
	b, other := twoLayers(t)
	metadata := b.rustEntry(t, other)
	for range 2 {
		b.fetch(t, b.fetcher(t))
	}
	result := b.fetchToCache(t, b.fetcher(t))
	if !result.FetchedFromNetwork {
		t.Errorf("got %+v", result)
	}
	b.wantTemporary(t, result.Path)
	b.wantFiles(t, "metadata.json", "pack.gtpack")
	wantBytes(t, read(t, b.file("pack.gtpack")), other)
	wantBytes(t, read(t, b.file("metadata.json")), metadata)
	b.events.wantNone(t)
}

func TestLayerOverrideBypassesTheEntry(t *testing.T) {
	b, other := twoLayers(t)
	for _, override := range []string{"text/markdown", b.pushed.Layers[1].String()} {
		f := b.fetcher(t)
		p, err := f.Resolve(context.Background(), b.byDigest(), override)
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
	b.wantFiles(t)
	b.fill(t)
	f := b.offline(t)
	p, err := f.Resolve(context.Background(), b.byDigest(), "text/markdown")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Copy(context.Background(), p, &sink{})
	as[*packfetch.OfflineError](t, err)
	b.wantWhole(t)
}

// An override that names what the rules select anyway shares the entry.
func TestLayerOverrideOfTheDefault(t *testing.T) {
	b, _ := twoLayers(t)
	f := b.fetcher(t)
	p, err := f.Resolve(context.Background(), b.byDigest(), packtest.PackMediaType)
	if err != nil {
		t.Fatal(err)
	}
	if fetched, err := f.Copy(context.Background(), p, &sink{}); !fetched || err != nil {
		t.Errorf("got %t, %v", fetched, err)
	}
	b.wantWhole(t)
}

// wantWithoutCache wants fetches to work, and to say that the cache does not.
func wantWithoutCache(t *testing.T, b *bed) {
	t.Helper()
	b.fetch(t, b.fetcher(t))
	b.wantUnusable(t)
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine())

	b.events.list = nil
	b.reg.ResetRequests()
	result := b.fetchToCache(t, b.fetcher(t))
	if !result.FetchedFromNetwork {
		t.Errorf("got %+v", result)
	}
	b.wantTemporary(t, result.Path)
	b.wantUnusable(t)
	b.wantRequests(t, "GET /v2/", b.manifestLine(), b.blobLine()) // SPEC: one manifest and one blob request
}

// wantUnusable wants CacheUnusable events and no others.
func (b *bed) wantUnusable(t *testing.T) {
	t.Helper()
	all := b.events.all()
	if len(all) == 0 {
		t.Error("got no event")
	}
	for _, event := range all {
		if e, ok := event.(packfetch.CacheUnusable); !ok || e.Reference != b.byDigest() || e.Err == nil {
			t.Errorf("got event %+v", event)
		}
	}
}

func TestCacheRootIsAFile(t *testing.T) {
	b := newBed(t, packtest.Options{})
	write(t, b.dir, []byte("not a cache"))
	wantWithoutCache(t, b)
	wantBytes(t, read(t, b.dir), []byte("not a cache"))
}

func TestCacheRootIsReadOnly(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions do not bind this user")
	}
	b := newBed(t, packtest.Options{})
	if err := os.Mkdir(b.dir, 0o555); err != nil {
		t.Fatal(err)
	}
	wantWithoutCache(t, b)
}

func TestReadOnlyCacheHits(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("permissions do not bind this user")
	}
	b := newBed(t, packtest.Options{})
	b.fill(t)
	for _, dir := range []string{b.file(""), b.dir} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o777) })
	}
	b.fetch(t, b.fetcher(t))
	b.wantRequests(t)
	b.events.wantNone(t)
}

// An entry that is no folder of its own is not followed.
func TestFault38_EntryIsALink(t *testing.T) {
	b := newBed(t, packtest.Options{})
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, filepath.Join(victim, "pack.gtpack"), []byte("precious"))
	os.Mkdir(b.dir, 0o777)
	if err := os.Symlink(victim, strings.TrimSuffix(b.file(""), "/")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	b.fetch(t, b.fetcher(t))
	wantBytes(t, read(t, filepath.Join(victim, "pack.gtpack")), []byte("precious"))
	entries, _ := os.ReadDir(victim)
	if len(entries) != 1 {
		t.Errorf("the victim holds %v", entries)
	}
}

func TestFault38_PackIsALink(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, victim, b.data) // even the right bytes are not read through a link
	os.Remove(b.file("pack.gtpack"))
	if err := os.Symlink(victim, b.file("pack.gtpack")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	b.fetch(t, b.fetcher(t))
	event := one[packfetch.CorruptEntry](t, b.events)
	wantText(t, event.Err, b.file("pack.gtpack")+": not a regular file")
	if info, err := os.Lstat(b.file("pack.gtpack")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("got %v, %v", info, err)
	}
	b.wantWhole(t)
	wantBytes(t, read(t, victim), b.data)
}

// A folder in the pack's place is neither read nor removed.
func TestFault38_PackIsAFolder(t *testing.T) {
	b := newBed(t, packtest.Options{})
	b.fill(t)
	os.Remove(b.file("pack.gtpack"))
	write(t, filepath.Join(b.file("pack.gtpack"), "precious"), []byte("precious"))
	for name, fetch := range map[string]func(*packfetch.Fetcher){
		"Fetch": func(f *packfetch.Fetcher) { b.fetch(t, f) },
		"FetchToCache": func(f *packfetch.Fetcher) {
			result := b.fetchToCache(t, f)
			if !result.FetchedFromNetwork {
				t.Errorf("got %+v", result)
			}
			b.wantTemporary(t, result.Path)
		},
	} {
		b.events.list = nil
		fetch(b.fetcher(t))
		all := b.events.all()
		if len(all) != 2 {
			t.Fatalf("%s: got events %+v, want two", name, all)
		}
		corrupt, _ := all[0].(packfetch.CorruptEntry)
		unusable, _ := all[1].(packfetch.CacheUnusable)
		if corrupt.Err == nil || corrupt.Err.Path != b.file("pack.gtpack") || unusable.Err == nil || unusable.Reference != b.byDigest() {
			t.Errorf("%s: got events %+v", name, all)
		}
	}
	wantBytes(t, read(t, filepath.Join(b.file("pack.gtpack"), "precious")), []byte("precious"))
	b.wantFiles(t, "manifest.json", "metadata.json", "pack.gtpack")
}

// What could not be verified does not stay in a temporary file either.
func TestFailedTemporaryIsRemoved(t *testing.T) {
	b := newBed(t, packtest.Options{})
	write(t, b.dir, []byte("not a cache"))
	temporaries := t.TempDir()
	t.Setenv("TMPDIR", temporaries)
	t.Setenv("TMP", temporaries)
	b.reg.Inject(packtest.WrongBlob(""))
	_, err := b.fetcher(t).FetchToCache(context.Background(), b.byDigest())
	as[*packfetch.DigestMismatchError](t, err)
	left, err := os.ReadDir(temporaries)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCacheRootMayBeALink(t *testing.T) {
	b := newBed(t, packtest.Options{})
	real := t.TempDir()
	if err := os.Symlink(real, b.dir); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	b.fetch(t, b.fetcher(t))
	b.wantWhole(t)
}

// The entry is named after the manifest, not after what a reference says.
func TestOneEntryForEveryName(t *testing.T) {
	b := newBed(t, packtest.Options{})
	if _, err := b.reg.PutManifest("other/name", "", b.pushed.MediaType, b.pushed.Manifest); err != nil {
		t.Fatal(err)
	}
	b.fill(t)
	got, err := b.fetcher(t).Fetch(context.Background(), b.reg.Host()+"/other/name@"+b.pushed.ManifestDigest.String())
	if err != nil {
		t.Fatal(err)
	}
	wantBytes(t, got, b.data)
	b.wantRequests(t)
}

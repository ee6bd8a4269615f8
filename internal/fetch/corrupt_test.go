package fetch_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/packcache"
	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/internal/verified"
)

// damagedPacks are what may be left of a pack.
func damagedPacks() map[string][]byte {
	data := packtest.Zip("bed", "1.0.0", 1000)
	flipped := append([]byte{}, data...)
	flipped[len(flipped)/2] ^= 1
	return map[string][]byte{
		"truncated":       data[:len(data)/2],
		"emptied":         {},
		"one bit flipped": flipped,
		"longer":          append(append([]byte{}, data...), 0),
	}
}

// otherPacks are another pack's bytes where the pack should stand.
func otherPacks() map[string][]byte {
	return map[string][]byte{"another pack's bytes": packtest.Zip("another", "1.0.0", 1000)}
}

func TestFault34_DamagedPackOnline(t *testing.T)  { wantMended(t, damagedPacks()) }
func TestFault34_DamagedPackOffline(t *testing.T) { wantRefused(t, damagedPacks()) }
func TestFault35_OtherPackOnline(t *testing.T)    { wantMended(t, otherPacks()) }
func TestFault35_OtherPackOffline(t *testing.T)   { wantRefused(t, otherPacks()) }

// wantMended wants an entry with wrong bytes to be fetched again.
func wantMended(t *testing.T, wrongPacks map[string][]byte) {
	for name, wrong := range wrongPacks {
		for by, spoil := range map[string]func(*testing.T, *fixture){
			"ours":  func(t *testing.T, b *fixture) { b.fill(t); write(t, b.file("pack.gtpack"), wrong) },
			"rusts": func(t *testing.T, b *fixture) { b.rustEntry(t, wrong) },
		} {
			t.Run(name+" "+by, func(t *testing.T) {
				b := newFixture(t, packtest.Options{})
				spoil(t, b)
				result := b.fetchToCache(t, b.fetcher(t))
				if !result.FetchedFromNetwork || result.Path != b.file("pack.gtpack") {
					t.Errorf("got %+v", result)
				}
				b.wantWhole(t)
				if n := b.count(b.blobLine()); n != 1 {
					t.Errorf("%d blob requests, want 1", n)
				}
				event := one[fetch.CorruptEntry](t, b.events)
				if event.Reference != b.byDigest() || event.Err.Path != b.file("pack.gtpack") || !event.Mended {
					t.Errorf("got %+v", event)
				}
				if short := len(wrong) < len(b.data); event.Err.Short != short || event.Err.Changed {
					t.Errorf("short: %t, want %t; changed: %t", event.Err.Short, short, event.Err.Changed)
				}
				as[*verified.MismatchError](t, event.Err)

				b.reg.ResetRequests()
				b.fetch(t, b.offline(t))
			})
		}
	}
}

// wantRefused wants an entry with wrong bytes to be of no use offline.
func wantRefused(t *testing.T, wrongPacks map[string][]byte) {
	for name, wrong := range wrongPacks {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
			b.fill(t)
			write(t, b.file("pack.gtpack"), wrong)
			f := b.offline(t)
			_, err := fetchBytes(context.Background(), f, b.byDigest())
			e := as[*packcache.CorruptError](t, err)
			mismatch := as[*verified.MismatchError](t, err)
			if e.Path != b.file("pack.gtpack") || mismatch.Want.Digest != b.pushed.Layers[0] {
				t.Errorf("got %+v, %+v", e, mismatch)
			}
			p, err := f.FromLock(parse(b.byDigest()), b.pushed.ManifestDigest, b.layer(), "")
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
		spoil    func(*testing.T, *fixture)
		manifest bool // it takes a request
		event    bool
	}{
		"manifest missing": {spoil: func(t *testing.T, b *fixture) { os.Remove(b.file("manifest.json")) }, manifest: true},
		"manifest corrupt": {spoil: func(t *testing.T, b *fixture) { write(t, b.file("manifest.json"), []byte("{}")) }, manifest: true, event: true},
		"manifest empty":   {spoil: func(t *testing.T, b *fixture) { write(t, b.file("manifest.json"), nil) }, manifest: true, event: true},
		"manifest a folder": {spoil: func(t *testing.T, b *fixture) {
			os.Remove(b.file("manifest.json"))
			os.Mkdir(b.file("manifest.json"), 0o777)
		}, manifest: true, event: true},
		"metadata missing":   {spoil: func(t *testing.T, b *fixture) { os.Remove(b.file("metadata.json")) }},
		"metadata truncated": {spoil: func(t *testing.T, b *fixture) { write(t, b.file("metadata.json"), []byte(`{"original_`)) }},
		"metadata lies":      {spoil: func(t *testing.T, b *fixture) { write(t, b.file("metadata.json"), []byte(`{"size_bytes":1}`)) }},
		"another digest":     {spoil: spoilMetadata("resolved_digest", "sha256:"+strings.Repeat("0", 64))},
		"another manifest":   {spoil: spoilMetadata("manifest_digest", "sha256:"+strings.Repeat("0", 64))},
		"no manifest digest": {spoil: spoilMetadata("manifest_digest", nil)},
		"another type":       {spoil: spoilMetadata("media_type", "text/markdown")},
		"another size":       {spoil: spoilMetadata("size_bytes", 1)},
		"no annotations":     {spoil: spoilMetadata("manifest_annotations", nil)},
		"forged annotations": {spoil: spoilMetadata("manifest_annotations", map[string]string{"org.opencontainers.image.version": "2.0.0"})},
		"more annotations":   {spoil: spoilMetadata("manifest_annotations", map[string]string{"org.opencontainers.image.version": "1.0.0", "signature": "forged"})},
		"both missing":       {spoil: func(t *testing.T, b *fixture) { os.Remove(b.file("manifest.json")); os.Remove(b.file("metadata.json")) }, manifest: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t, packtest.Options{})
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
				event := one[fetch.CorruptEntry](t, b.events)
				if mended := name != "manifest a folder"; event.Err.Path != b.file("manifest.json") || event.Mended != mended {
					t.Errorf("got %+v, want mended %t", event, mended)
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

// spoilMetadata sets one field of metadata.json, as whoever may write to the cache
// can.
func spoilMetadata(field string, value any) func(*testing.T, *fixture) {
	return func(t *testing.T, b *fixture) {
		var m map[string]any
		if err := json.Unmarshal(read(t, b.file("metadata.json")), &m); err != nil {
			t.Fatal(err)
		}
		m[field] = value
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		write(t, b.file("metadata.json"), data)
	}
}

// A manifest without annotations is described by null and by an empty object: no
// two clients rewrite each other's metadata.json for that.
func TestMetadataWithoutAnnotations(t *testing.T) {
	for _, none := range []any{nil, map[string]string{}} {
		data := packtest.Zip("bed", "1.0.0", 1000)
		b := newFixtureOf(t, packtest.Options{}, data, packtest.Pack(data, "bed.gtpack"))
		b.fill(t)
		spoilMetadata("manifest_annotations", none)(t, b)
		was := read(t, b.file("metadata.json"))
		b.fetch(t, b.fetcher(t))
		wantBytes(t, read(t, b.file("metadata.json")), was)
	}
}

func TestFault37_CorruptManifestOffline(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	write(t, b.file("manifest.json"), []byte("{}"))
	_, err := fetchBytes(context.Background(), b.offline(t), b.byDigest())
	if e := as[*packcache.CorruptError](t, err); e.Path != b.file("manifest.json") {
		t.Errorf("got %+v", e)
	}
	wantBytes(t, read(t, b.file("manifest.json")), []byte("{}"))
}

// An entry that is no folder of its own is not followed.
func TestFault38_EntryIsALink(t *testing.T) {
	b := newFixture(t, packtest.Options{})
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
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, victim, b.data) // even the right bytes are not read through a link
	os.Remove(b.file("pack.gtpack"))
	if err := os.Symlink(victim, b.file("pack.gtpack")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	if info, err := os.Lstat(b.file("pack.gtpack")); err != nil || info.Mode().IsRegular() {
		t.Skip("a symbolic link does not look like one here: ", err) // as under Wine
	}
	b.fetch(t, b.fetcher(t))
	event := one[fetch.CorruptEntry](t, b.events)
	wantText(t, event.Err, b.file("pack.gtpack")+": not a regular file")
	if info, err := os.Lstat(b.file("pack.gtpack")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("got %v, %v", info, err)
	}
	b.wantWhole(t)
	wantBytes(t, read(t, victim), b.data)
}

// A folder in the pack's place is neither read nor removed.
func TestFault38_PackIsAFolder(t *testing.T) {
	b := newFixture(t, packtest.Options{})
	b.fill(t)
	os.Remove(b.file("pack.gtpack"))
	write(t, filepath.Join(b.file("pack.gtpack"), "precious"), []byte("precious"))
	for name, use := range map[string]func(*fetch.Fetcher){
		"Fetch": func(f *fetch.Fetcher) { b.fetch(t, f) },
		"FetchToCache": func(f *fetch.Fetcher) {
			result := b.fetchToCache(t, f)
			if !result.FetchedFromNetwork {
				t.Errorf("got %+v", result)
			}
			b.wantTemporary(t, result.Path)
		},
	} {
		b.events.list = nil
		use(b.fetcher(t))
		all := b.events.all()
		if len(all) != 2 {
			t.Fatalf("%s: got events %+v, want two", name, all)
		}
		unusable, _ := all[0].(fetch.CacheUnusable)
		corrupt, _ := all[1].(fetch.CorruptEntry)
		if corrupt.Err == nil || corrupt.Mended || corrupt.Err.Path != b.file("pack.gtpack") || unusable.Err == nil || unusable.Reference != b.byDigest() {
			t.Errorf("%s: got events %+v", name, all)
		}
	}
	wantBytes(t, read(t, filepath.Join(b.file("pack.gtpack"), "precious")), []byte("precious"))
	b.wantFiles(t, "manifest.json", "metadata.json", "pack.gtpack")
}

package vendorer_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/internal/packtest"
	"github.com/greenticai/packvendor/vendorer"
)

// newLocked returns a project with a pinned pack a, a pack t that follows a
// tag, and a pack i behind an index, all vendored. $OTHER is another pack in
// each repository, $NONE a manifest there without a pack.
func newLocked(t *testing.T) *project {
	t.Helper()
	p := newProject(t)
	var inIndex packtest.Pushed
	for _, name := range []string{"a", "t", "i"} {
		pushed := p.push(strings.ToUpper(name), name+":stable")
		if name == "i" {
			inIndex = pushed
		}
		p.push("OTHER", name)
		p.pushArtifact("NONE", name, packtest.Artifact{Layers: []packtest.Layer{{MediaType: "image/png", Data: []byte("png")}}})
		p.pushArtifact("OTHER", name, packtest.Pack(packtest.Zip("other", "1", 40), ""))
	}
	p.pushIndex("INDEX", "i:stable", inIndex)
	p.packs(`a = "$REG/a@$A"`, `t = { ref = "$REG/t:stable", allow_tags = true }`, `i = "$REG/i@$INDEX"`)
	p.mustRun()
	return p
}

// vendorOther vendors and locks $OTHER's bytes as the pack.
func vendorOther(p *project, name string) {
	p.write("app/packs/"+name+".gtpack", string(packtest.Zip("other", "1", 40)))
	p.replaceIn(name, "layer_digest = \"$"+strings.ToUpper(name)+"_LAYER\"", "layer_digest = \"$OTHER_LAYER\"")
	p.replaceIn(name, "size = $"+strings.ToUpper(name)+"_SIZE", "size = $OTHER_SIZE")
}

// replaceIn replaces old in the pack's block of packs.lock.
func (p *project) replaceIn(name, old, with string) {
	p.t.Helper()
	blocks := strings.Split(p.read("app/packs.lock"), "\n\n")
	at := slices.IndexFunc(blocks, func(b string) bool { return strings.Contains(b, "name = \""+name+"\"") })
	if old = p.expand(old); at < 0 || !strings.Contains(blocks[at], old) {
		p.t.Fatalf("no %q in the entry of %s:\n%s", old, name, p.read("app/packs.lock"))
	}
	blocks[at] = strings.ReplaceAll(blocks[at], old, p.expand(with))
	p.write("app/packs.lock", strings.Join(blocks, "\n\n"))
}

// A witness can prove that an entry is inconsistent.
type witness int

const (
	byItself   witness = iota // the entry alone, or with packs.toml
	byCache                   // the manifest in the cache
	byRegistry                // the registry
)

// Each test forges one field, and vendors bytes that match it if it is about bytes
// (docs/reliability.md, 53b).
var forgeries = []struct {
	name    string
	forge   func(*project)
	witness witness
	want    string // the contradiction, without "$LOCK:N: "
	remote  string // the message of verify --remote with a cold cache; "" if it is want
}{
	{"manifest_digest, pinned", func(p *project) { p.replaceIn("a", `manifest_digest = "$A"`, `manifest_digest = "$OTHER"`) }, byItself,
		"4: a: manifest_digest is $OTHER, but ref pins $A", ""},
	{"manifest_digest, of another pack", func(p *project) { p.replaceIn("t", `manifest_digest = "$T"`, `manifest_digest = "$OTHER"`) }, byRegistry,
		"", "20: t: layer_digest is $T_LAYER, but the manifest has $OTHER_LAYER"},
	{"manifest_digest, of no pack", func(p *project) { p.replaceIn("t", `manifest_digest = "$T"`, `manifest_digest = "$NONE"`) }, byRegistry,
		"", "20: t: manifest_digest is $NONE, but that manifest holds no pack"},
	{"manifest_digest, another of the index", func(p *project) { p.replaceIn("i", `manifest_digest = "$I"`, `manifest_digest = "$OTHER"`) }, byRegistry,
		"", "11: i: manifest_digest is $OTHER, but its index leads to $I"},
	{"manifest_digest, the index itself", func(p *project) {
		p.replaceIn("i", "index_digest = \"$INDEX\"\n", "")
		p.replaceIn("i", `manifest_digest = "$I"`, `manifest_digest = "$INDEX"`)
	}, byRegistry, "", "11: i: manifest_digest is $INDEX, but its index leads to $I"},
	{"index_digest, other", func(p *project) { p.replaceIn("i", `index_digest = "$INDEX"`, `index_digest = "$ZERO"`) }, byItself,
		"11: i: index_digest is $ZERO, but ref pins $INDEX", ""},
	{"index_digest, none", func(p *project) { p.replaceIn("i", "index_digest = \"$INDEX\"\n", "") }, byItself,
		"11: i: manifest_digest is $I, but ref pins $INDEX", ""},
	{"index_digest, where there is no index", func(p *project) {
		p.replaceIn("a", "manifest_digest = \"$A\"\n", "index_digest = \"$A\"\nmanifest_digest = \"$OTHER\"\n")
	}, byRegistry, "", "4: a: manifest_digest is $OTHER, but its index leads to $A"},
	{"index_digest, the manifest's", func(p *project) {
		p.replaceIn("a", "manifest_digest = \"$A\"\n", "index_digest = \"$A\"\nmanifest_digest = \"$A\"\n")
	}, byItself, "4: a: index_digest is $A, but manifest_digest is the same", ""},
	{"layer_digest", func(p *project) { vendorOther(p, "a") }, byCache,
		"4: a: layer_digest is $OTHER_LAYER, but the manifest has $A_LAYER", ""},
	{"layer_digest, followed", func(p *project) { vendorOther(p, "t") }, byCache,
		"20: t: layer_digest is $OTHER_LAYER, but the manifest has $T_LAYER", ""},
	{"size", func(p *project) {
		p.replaceIn("a", `size = $A_SIZE`, `size = 3`)
	}, byCache, "4: a: size is 3, but the manifest has $A_SIZE", ""},
	{"media_type", func(p *project) { p.replaceIn("a", packtest.PackMediaType, "application/json") }, byCache,
		"4: a: media_type is application/json, but the manifest has " + packtest.PackMediaType, ""},
	{"media_type, of no pack", func(p *project) { p.replaceIn("a", packtest.PackMediaType, "image/png") }, byItself,
		"4: a: media_type is image/png, but no pack layer may have that type", ""},
	{"tag, of a pin", func(p *project) {
		p.replaceIn("a", "manifest_digest = \"$A\"\n", "tag = \"stable\"\nmanifest_digest = \"$A\"\n")
	}, byItself, "4: a: tag is stable, but ref pins a digest", ""},
	{"tag, other", func(p *project) { p.replaceIn("t", `tag = "stable"`, `tag = "latest"`) }, byItself,
		"20: t: tag is latest, but ref names stable", ""},
	{"tag, none", func(p *project) { p.replaceIn("t", "tag = \"stable\"\n", "") }, byItself,
		"20: t: tag is missing, but ref names stable", ""},
}

// lie adds packs.lock's name, and the line in the present packs.lock.
func (p *project) lie(want string) string {
	_, rest, _ := strings.Cut(want, ":")
	name, _, _ := strings.Cut(strings.TrimSpace(rest), ":")
	line := 0
	for n, text := range strings.Split(p.read("app/packs.lock"), "\n") {
		if text == `name = "`+name+`"` {
			line = n // the header's, one above
		}
	}
	return p.expand("$DIR/packs.lock:" + itoa(line) + ":" + rest)
}

func TestForgedLock(t *testing.T) {
	for _, test := range forgeries {
		t.Run(test.name, func(t *testing.T) {
			p := newLocked(t)
			test.forge(p)
			if test.witness <= byCache {
				want := p.lie(test.want)
				p.failsWithLie(p.runs(), want)
				wantFirst(t, p, false, want)
			}
			p.coldCache()
			want := p.lie(test.want)
			if test.remote != "" {
				want = p.lie(test.remote)
			}
			wantFirst(t, p, true, want)
			if test.witness == byItself {
				p.failsWithLie(p.runs(), want)
			}

			// The hint is an update, which makes all agree.
			name := strings.TrimSpace(strings.Split(strings.TrimPrefix(want, p.expand("$DIR/packs.lock:")), ":")[1])
			p.must(p.updates(name)())
			p.wantFound(true)
		})
	}
}

// With no bytes vendored and a cold cache the registry proves every contradiction.
func TestForgedLockRestored(t *testing.T) {
	for _, test := range forgeries {
		if test.name == "index_digest, where there is no index" || test.name == "manifest_digest, another of the index" {
			continue // only the index would prove it, and nobody asks for it
		}
		t.Run(test.name, func(t *testing.T) {
			p := newLocked(t)
			test.forge(p)
			p.remove("app/packs")
			p.coldCache()
			before := p.snapshot(false)
			_, err := p.run()
			var lie *vendorer.InconsistentError
			if !errors.As(err, &lie) {
				t.Errorf("error %v, want a lie", err)
			}
			if p.snapshot(false) != before {
				t.Error("files changed")
			}
		})
	}
}

func (p *project) failsWithLie(do func() error, want string) {
	p.t.Helper()
	err := p.fails(do, want)
	var lie *vendorer.InconsistentError
	var pack *vendorer.PackError
	if !errors.As(err, &lie) || !errors.As(err, &pack) || pack.Locked == nil {
		p.t.Errorf("error is a %T: %+v", err, err)
	}
}

// wantFirst demands that verify finds want first. Its consequences, such as a file of
// another size, may follow.
func wantFirst(t *testing.T, p *project, remote bool, want string) {
	t.Helper()
	got := p.verify(remote)
	if len(got) == 0 || got[0] != want {
		t.Errorf("findings (remote: %v):\n%s\nwant first:\n%s", remote, strings.Join(got, "\n"), want)
	}
}

// A manifest without a pack proves a contradiction from the cache as from the registry.
func TestForgedLockCachedManifest(t *testing.T) {
	p := newLocked(t)
	p.replaceIn("t", `manifest_digest = "$T"`, `manifest_digest = "$NONE"`)
	entry := filepath.Join(p.options.CacheDir, p.names["NONE"][7:])
	p.must(os.MkdirAll(entry, 0o777))
	p.must(os.WriteFile(filepath.Join(entry, "manifest.json"), manifestOf(p, "t", "NONE"), 0o666))
	want := p.lie("0: t: manifest_digest is $NONE, but that manifest holds no pack")
	p.failsWithLie(p.runs(), want)
	wantFirst(t, p, false, want)
	p.remove("app/packs/t.gtpack")
	p.failsWithLie(p.runs(), want)
	p.options.Offline = true
	p.failsWithLie(p.runs(), want)
}

// An entry with another reference than packs.toml's is stale, and never inconsistent.
func TestStaleIsNoLie(t *testing.T) {
	p := newLocked(t)
	for _, test := range forgeries {
		t.Run(test.name, func(t *testing.T) {
			p.t = t
			test.forge(p)
			p.packs(`a = "oci://$REG/a@$A"`, `t = { ref = "oci://$REG/t:stable", allow_tags = true }`, `i = "oci://$REG/i@$INDEX"`)
			p.mustRun()
			p.wantFound(true)
			p.packs(`a = "$REG/a@$A"`, `t = { ref = "$REG/t:stable", allow_tags = true }`, `i = "$REG/i@$INDEX"`)
			p.mustRun()
			p.wantFound(true)
		})
	}
}

func TestLockedIsGone(t *testing.T) {
	p := newVendored(t)
	p.must(p.reg.Delete("a", p.names["A"]))
	p.wantNothingWritten()
	p.remove("app/packs")
	p.mustRun() // from the cache
	p.remove("app/packs")
	p.coldCache()
	err := p.fails(p.runs(), "$DIR/packs.toml:2: packs.a: cannot resolve $REG/a@$A: GET https://$REG/v2/a/manifests/$A: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown")
	var pack *vendorer.PackError
	if !errors.As(err, &pack) || pack.Locked == nil || string(pack.Locked.ManifestDigest) != p.names["A"] {
		t.Errorf("error %#v", err)
	}
}

func TestBadLock(t *testing.T) {
	p := newVendored(t)
	p.replace("app/packs.lock", "version = 1", "version = 2")
	p.fails(p.runs(), "$DIR/packs.lock:2: version 2 is newer than this packvendor understands (1)")
}

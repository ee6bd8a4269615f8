package vendorer_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// list returns List's result as text: a line a pack, with references shortened to the
// repository's path. It must neither write nor use the network.
func (p *project) list() string {
	p.t.Helper()
	before := p.snapshot(true)
	p.reg.ResetRequests()
	listed, err := vendorer.List(context.Background(), p.options)
	p.must(err)
	p.wantRequests()
	if p.snapshot(true) != before {
		p.t.Error("list wrote")
	}
	var b strings.Builder
	for _, l := range listed {
		fmt.Fprintf(&b, "%s %s: %q %s %d, %s, %s\n", l.Name, strings.TrimPrefix(l.Ref+" "+l.Version, p.names["REG"]), l.Tag, l.Digest, l.Size, l.Vendored, l.Cached)
	}
	return b.String()
}

func (p *project) wantList(want ...string) {
	p.t.Helper()
	if got, want := p.list(), p.expand(strings.Join(append(want, ""), "\n")); got != want {
		p.t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Each form of pack is listed, locked and not.
func TestListForms(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.pushIndex("INDEX", "a:stable", p.push("B", "a"))
	p.packs(`d = "$REG/a@$A"`, `a = "$REG/a:1.0.0@$A"`, `c = { ref = "$REG/a", version = "^1" }`, `b = { ref = "$REG/a:stable", allow_tags = true }`)
	p.wantList(`a /a:1.0.0@$A : "1.0.0" $A -1, -, -`, `b /a:stable : "stable"  -1, -, -`, `c /a ^1: ""  -1, -, -`, `d /a@$A : "" $A -1, -, -`)
	p.mustRun()
	p.wantList(`a /a:1.0.0@$A : "1.0.0" $A $A_SIZE, yes, yes`, `b /a:stable : "stable" $INDEX $B_SIZE, yes, yes`, `c /a ^1: "1.0.0" $A $A_SIZE, yes, yes`, `d /a@$A : "" $A $A_SIZE, yes, yes`)
}

// List tells the state of each pack on this machine.
func TestListStates(t *testing.T) {
	entry := func(p *project) string {
		return filepath.Join(p.options.CacheDir, strings.TrimPrefix(p.names["A"], "sha256:"))
	}
	for _, test := range []struct {
		name  string
		spoil func(*project)
		want  string
	}{
		{"all there", func(*project) {}, "yes, yes"},
		{"not vendored", func(p *project) { p.remove("app/packs") }, "no, yes"},
		{"vendored otherwise", func(p *project) { p.write("app/packs/a.gtpack", "x") }, "changed, yes"},
		{"a folder in its place", func(p *project) { p.remove("app/packs/a.gtpack"); p.write("app/packs/a.gtpack/x", "x") }, ""},
		{"cold cache", (*project).coldCache, "yes, no"},
		{"no pack in the cache", func(p *project) { p.must(os.Remove(filepath.Join(entry(p), "pack.gtpack"))) }, "yes, no"},
		{"no manifest in the cache", func(p *project) { p.must(os.Remove(filepath.Join(entry(p), "manifest.json"))) }, "yes, yes"},
		{"corrupt cache", func(p *project) { p.must(corrupt(filepath.Join(entry(p), "pack.gtpack"))) }, "yes, no"},
		{"nothing", func(p *project) { p.coldCache(); p.remove("app/packs") }, "no, no"},
		{"stale", func(p *project) { p.packs(`a = "$REG/a:stable@$A"`) }, "-, -"},
		{"stale layer", func(p *project) { p.packs(`a = { ref = "$REG/a@$A", layer = "$A_LAYER" }`) }, "-, -"},
		{"no lock", func(p *project) { p.remove("app/packs.lock") }, "-, -"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newVendored(t)
			test.spoil(p)
			if test.want == "" {
				_, err := vendorer.List(context.Background(), p.options)
				var place *vendorer.PlaceError
				if !errors.As(err, &place) {
					t.Errorf("error %v", err)
				}
				return
			}
			if got := p.list(); !strings.HasSuffix(got, ", "+test.want+"\n") || strings.Count(got, "\n") != 1 {
				t.Errorf("got %s", got)
			}
		})
	}
}

// Packs without a pin are listed; any other fault is an error.
func TestListUnpinned(t *testing.T) {
	p := newVendored(t)
	p.packs(`a = "$REG/a:stable"`, `b = "$REG/b:1"`)
	p.wantList(`a /a:stable : "stable"  -1, -, -`, `b /b:1 : "1"  -1, -, -`)
	list := func() error {
		_, err := vendorer.List(context.Background(), p.options)
		return err
	}
	p.packs(`a = "$REG/a"`)
	p.fails(list, `$DIR/packs.toml:2: packs.a: "$REG/a" has neither tag nor digest: add one, or a version`)
	p.packs()
	p.wantList()
	p.write("app/packs.lock", "version = 2\n")
	p.fails(list, "$DIR/packs.lock:1: version 2 is newer than this packvendor understands (1)")
	p.remove("app/packs.toml")
	p.fails(list, "$DIR/packs.toml: no such file")
}

// An unreadable file is no error for suggestions.
func TestConfigured(t *testing.T) {
	p := newProject(t)
	names := func() string {
		var names []string
		for _, pack := range vendorer.Configured(p.options.File) {
			names = append(names, pack.Name)
		}
		slices.Sort(names)
		return strings.Join(names, " ")
	}
	for _, test := range []struct{ text, want string }{
		{"[packs]\nb = \"r.io/b:1\"\na = \"r.io/a@$ZERO\"\n", "a b"},
		{"[packs]\na = \"nonsense\"\n", ""},
		{"[packs", ""},
		{"", ""},
	} {
		p.write("app/packs.toml", test.text)
		if got := names(); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
	p.remove("app/packs.toml")
	if got := names(); got != "" {
		t.Errorf("no file: %q", got)
	}
}

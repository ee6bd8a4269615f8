package vendorer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/marker"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/packtest"
)

// markers returns the markers of the generated file by the names of their packs.
func (p *project) markers() map[string]marker.Marker {
	p.t.Helper()
	found := map[string]marker.Marker{}
	for _, text := range embedgen.Markers([]byte(p.read("app/packs_gen.go"))) {
		m, err := marker.Parse(text)
		p.must(err)
		found[m.Name] = m
	}
	return found
}

// wantMarkers checks that each vendored pack has a marker, which describes the bytes in its file.
func (p *project) wantMarkers(in string, names ...string) {
	p.t.Helper()
	found := p.markers()
	if len(found) != len(names) {
		p.t.Errorf("%d markers, want %q", len(found), names)
	}
	for _, name := range names {
		data := []byte(p.read("app/packs/" + name + ".gtpack"))
		m := found[name]
		if m.Package != in || m.LayerDigest != ociref.DigestOf(data) || m.Size != int64(len(data)) || m.Sample != marker.SampleOf(data) {
			p.t.Errorf("%s: %+v is not the marker of %d bytes in %s", name, m, len(data), in)
		}
	}
}

// Whether a run downloads a pack, keeps it or restores it, the marker is that of its bytes.
func TestMarkers(t *testing.T) {
	p := newProject(t)
	var lines, names []string
	for _, size := range []int{1, 100, 64<<10 - 1, 64 << 10, 200_000} {
		name := fmt.Sprintf("p%d", size)
		data := []byte(strings.Repeat(name+" ", size)[:size])
		p.pushArtifact(strings.ToUpper(name), name+":stable", packtest.Pack(data, ""))
		lines, names = append(lines, fmt.Sprintf(`%s = "$REG/%s@$%s"`, name, name, strings.ToUpper(name))), append(names, name)
	}
	p.write("app/local.bin", strings.Repeat("local", 100_000))
	p.packs(append(lines, `local = { path = "local.bin" }`)...)
	names = append(names, "local")
	p.mustRun()
	p.wantMarkers("example.com/app/app", names...)
	if local := p.markers()["local"]; local.Ref != "file:local.bin" || local.ManifestDigest != "" || local.MediaType != "" {
		t.Errorf("a file has the marker %+v", local)
	}
	if m := p.markers()["p1"]; m.Ref != p.expand("$REG/p1@$P1") || m.ManifestDigest != ociref.Digest(p.names["P1"]) {
		t.Errorf("a pack has the marker %+v", m)
	}
	was := p.read("app/packs_gen.go")
	for name, change := range map[string]func(){
		"nothing":         func() {},
		"a changed pack":  func() { p.flip("app/packs/p200000.gtpack") },
		"no packs":        func() { p.remove("app/packs") },
		"an empty pack":   func() { p.write("app/packs/p1.gtpack", "") },
		"no Go file":      func() { p.remove("app/packs_gen.go") },
		"no lock":         func() { p.remove("app/packs.lock") },
		"a fresh machine": func() { p.coldCache(); p.remove("app/packs/p100.gtpack"); p.remove("app/packs_gen.go") },
	} {
		change()
		p.mustRun()
		if p.read("app/packs_gen.go") != was {
			t.Errorf("after %s the generated file is another one", name)
		}
	}
	p.wantFound(false)
}

// The import path is in the markers: a module with another name is another generated file.
func TestMarkersImportPath(t *testing.T) {
	p := newVendored(t)
	for _, test := range []struct{ mod, in string }{
		{"module example.org/other // once example.com/app", "example.org/other/app"},
		{"module (\n\t\"example.org/block\"\n)\n", "example.org/block/app"},
		{"go 1.25\n", ""},
	} {
		p.write("go.mod", test.mod)
		findings := p.verify(false)
		if len(findings) == 0 || !strings.HasPrefix(findings[0], filepath.Join(p.dir, "packs_gen.go")+" ") {
			t.Errorf("%q: verify finds %q", test.mod, findings)
		}
		p.mustRun()
		p.wantMarkers(test.in, "a")
	}
}

// Without the packs verify cannot know their first bytes. It believes the generated file, as
// far as that is about the locked packs.
func TestVerifyMarkersWithoutPacks(t *testing.T) {
	p := newVendored(t)
	generated := p.read("app/packs_gen.go")
	p.remove("app/packs")
	missing := p.verify(false)
	if len(missing) != 1 || !strings.Contains(missing[0], "a.gtpack") {
		t.Errorf("without its pack: %q", missing)
	}
	for name, edit := range map[string]func(m *marker.Marker){
		"layer": func(m *marker.Marker) { m.LayerDigest = zero },
		"size":  func(m *marker.Marker) { m.Size++ },
		"ref":   func(m *marker.Marker) { m.Ref += "0" },
		"in":    func(m *marker.Marker) { m.Package = "example.com/other" },
	} {
		m := p.markers()["a"]
		before := marker.Format(m)
		edit(&m)
		p.replace("app/packs_gen.go", before[1:len(before)-1], strings.Trim(marker.Format(m), "\x02\x03"))
		if found := p.verify(false); len(found) != 2 {
			t.Errorf("with another %s: %q", name, found)
		}
		p.must(os.WriteFile(filepath.Join(p.dir, "packs_gen.go"), []byte(generated), 0o666))
	}
}

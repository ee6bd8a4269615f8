package vendorer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

func TestRunStale(t *testing.T) {
	p := newVendored(t)
	p.push("B", "a:next")
	p.names["OLD"] = p.names["A"]
	p.packs(`a = "$REG/a@$B"`)
	report := p.mustRun()
	p.wantEvents("vendorer.StaleEntry{Name:a Locked:$REG/a@$OLD Configured:$REG/a@$B}")
	p.wantPack("a", "$B_LAYER")
	if got := report.Packs[0]; string(got.Before.ManifestDigest) != p.names["OLD"] || string(got.ManifestDigest) != p.names["B"] {
		t.Errorf("report %+v", got)
	}
}

// A changed layer makes an entry stale, like a changed reference.
func TestRunStaleLayer(t *testing.T) {
	p := newVendored(t)
	p.packs(`a = { ref = "$REG/a@$A", layer = "$A_LAYER" }`)
	p.mustRun()
	p.wantEvents("vendorer.StaleEntry{Name:a Locked:$REG/a@$A Configured:$REG/a@$A layer $A_LAYER}")
}

func TestRunLocked(t *testing.T) {
	entry := `a = "$REG/a@$A"`
	for _, test := range []struct {
		name   string
		change func(*project)
		want   string
	}{
		{"missing", func(p *project) { p.push("B", "b"); p.packs(entry, `b = "$REG/b@$B"`) }, "$DIR/packs.lock would change (missing: b)"},
		{"no lock", func(p *project) { p.remove("app/packs.lock") }, "$DIR/packs.lock would change (missing: a)"},
		{"stale", func(p *project) { p.packs(`a = "$REG/a:stable@$A"`) }, "$DIR/packs.lock would change (stale: a)"},
		{"surplus", func(p *project) { p.packs() }, "$DIR/packs.lock would change (surplus: a)"},
		{"all", func(p *project) {
			p.write("app/packs.lock", lockOf("a")+strings.ReplaceAll(strings.SplitN(lockOf("a"), "\n\n", 2)[1], `name = "a"`, `name = "z"`))
			p.replace("app/packs.lock", "[[pack]]\nname = \"z\"", "\n[[pack]]\nname = \"z\"")
			p.packs(`a = "$REG/a:stable@$A"`, `c = "$REG/c@$A"`, `b = "$REG/b@$A"`)
		}, "$DIR/packs.lock would change (missing: b, c; stale: a; surplus: z)"},
		{"form", func(p *project) { p.write("app/packs.lock", lockOf("a")+"\n") }, "$DIR/packs.lock would change (it is not in canonical form)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newVendored(t)
			p.options.Locked = true
			test.change(p)
			err := p.fails(p.runs(), test.want)
			var locked *vendorer.LockedError
			if !errors.As(err, &locked) || locked.File != p.expand("$DIR/packs.lock") {
				t.Errorf("error is a %T: %+v", err, locked)
			}
			p.options.Locked = false
			p.mustRun()
			p.options.Locked = true
			p.wantNothingWritten()
		})
	}
	t.Run("restores", func(t *testing.T) {
		p := newVendored(t)
		p.options.Locked = true
		p.remove("app/packs")
		p.remove("app/packs_gen.go")
		p.mustRun()
		p.wantFound(false)
	})
}

// An empty project has a lock too.
func TestRunLockedWithoutPacks(t *testing.T) {
	p := newProject(t)
	p.wantFound(false, "$DIR/packs.lock does not exist yet", "$DIR/packs_gen.go is missing")
	p.options.Locked = true
	p.fails(p.runs(), "$DIR/packs.lock does not exist yet")
	p.options.Locked = false
	p.mustRun()
	p.options.Locked = true
	p.wantNothingWritten()
	p.wantFound(false)
}

func TestRunCRLFIsNoDrift(t *testing.T) {
	p := newVendored(t)
	for _, name := range []string{"app/packs.lock", "app/packs_gen.go"} {
		p.must(os.WriteFile(filepath.Join(p.mod, name), []byte(strings.ReplaceAll(p.read(name), "\n", "\r\n")), 0o666))
	}
	p.options.Locked = true
	p.wantNothingWritten()
	p.wantFound(false)
}

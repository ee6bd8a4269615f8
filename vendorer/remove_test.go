package vendorer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

func (p *project) removes(names ...string) func() error {
	return func() error {
		p.events = nil
		_, err := vendorer.Remove(context.Background(), p.options, vendorer.RemoveOptions{Names: names})
		return err
	}
}

func TestRemove(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.packs(`a = "$REG/a:1.0.0@$A" # gone with it`, "# stays", `b = { ref = "$REG/a", version = "^1" }`, `c = "$REG/a@$A"`)
	p.mustRun()
	p.reg.ResetRequests()
	report, err := vendorer.Remove(context.Background(), p.options, vendorer.RemoveOptions{Names: []string{"c", "a", "c"}})
	p.must(err)
	if want := []string{"a", "c"}; !slices.Equal(report.Dropped, want) || len(report.Packs) != 1 || report.Packs[0].Name != "b" {
		t.Errorf("report %+v", report)
	}
	p.wantRequests()
	p.wantFile("app/packs.toml", "[packs]\n# stays\nb = { ref = \"$REG/a\", version = \"^1\" }\n")
	p.wantAbsent("app/packs/a.gtpack", "app/packs/c.gtpack")
	p.wantPack("b", "$A_LAYER")
	p.wantNothingWritten()
	p.wantFound(true)
	p.must(p.removes("b")())
	p.wantAbsent("app/packs")
	p.wantFile("app/packs.toml", "[packs]\n# stays\n")
}

func TestRemoveUnknown(t *testing.T) {
	p := newProject(t)
	p.push("A", "a")
	p.packs(`slack = "$REG/a@$A"`)
	p.mustRun()
	err := p.fails(p.removes("slack", "slak", "nothing-like-it", "slak"), "$DIR/packs.toml has no pack \"slak\", did you mean \"slack\"?\n$DIR/packs.toml has no pack \"nothing-like-it\"")
	var unknown *vendorer.UnknownPackError
	if !errors.As(err, &unknown) || unknown.Name != "slak" || unknown.Near != "slack" {
		t.Errorf("error %+v", unknown)
	}
	p.remove("app/packs.toml")
	p.fails(p.removes("slack"), "$DIR/packs.toml: no such file")
}

// Remove drops one pack; others without a pin stay as they are locked, or stay out.
func TestRemoveLeavesOut(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:stable")
	p.packs(`a = { ref = "$REG/a:stable", allow_tags = true }`, `b = "$REG/a@$A"`)
	p.mustRun()
	p.packs(`a = "$REG/a:stable"`, `b = "$REG/a@$A"`, `c = "$REG/a:stable"`)
	p.must(p.removes("b")())
	p.wantEvents("vendorer.LeftOut{Name:a Ref:$REG/a:stable}", "vendorer.LeftOut{Name:c Ref:$REG/a:stable}")
	p.wantPack("a", "$A_LAYER")
	p.wantAbsent("app/packs/b.gtpack", "app/packs/c.gtpack")
	p.must(p.removes("a", "c")())
	p.wantEvents()
	p.wantAbsent("app/packs")
}

// An error after the edit of packs.toml names the lines on disk, since the edited file
// is not written; a new pack has no line.
func TestEditKeepsLines(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.packs(`a = "$REG/a@$A"`, `b = "$REG/a@$A"`, `c = { ref = "$REG/a", version = "^2" }`)
	p.write("app/packs.lock", lockOf())
	p.fails(p.removes("a", "b"), "$DIR/packs.toml:4: packs.c: $REG/a has no version tag in the range \"^2\", the newest is 1.0.0")
	p.write("app/packs.toml", "[packs]\n\nc = { ref = \"$REG/a\", version = \"^2\" }\n\n[packs.b]\nref = \"$REG/a@$ZERO\"\n")
	p.fails(p.adds("a", "$REG/a@$A"), "$DIR/packs.toml:5: packs.b: cannot resolve $REG/a@$ZERO: GET https://$REG/v2/a/manifests/$ZERO: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown\n"+
		"$DIR/packs.toml:3: packs.c: $REG/a has no version tag in the range \"^2\", the newest is 1.0.0")
}

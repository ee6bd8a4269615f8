package vendorer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/vendorer"
)

// A target's tag changes a pack by the form of its reference.
func TestFollowWish(t *testing.T) {
	for _, test := range []struct{ name, entry, want string }{
		{"digest", `"$REG/a@$OLD"`, `"$REG/a:1.0.0@$WISH"`},
		{"digest that the tag names", `"$REG/a@$WISH"`, `"$REG/a:1.0.0@$WISH"`},
		{"version tag and digest", `"oci://$REG/a:2.0.0@$OLD"`, `"oci://$REG/a:1.0.0@$WISH"`},
		{"other tag and digest", `{ go_name = "X", ref = "$REG/a:stable@$OLD" }`, `{ go_name = "X", ref = "$REG/a:1.0.0@$WISH" }`},
		{"tag", `{ ref = "$REG/a:stable", allow_tags = true }`, `{ ref = "$REG/a:1.0.0", allow_tags = true }`},
		{"tag with the same bytes", `{ ref = "oci://$REG/a:same", allow_tags = true }`, `{ ref = "oci://$REG/a:1.0.0", allow_tags = true }`},
		{"the same tag", `{ ref = "$REG/a:1.0.0", allow_tags = true }`, `{ ref = "$REG/a:1.0.0", allow_tags = true }`},
		{"the same tag and digest", `"$REG/a:1.0.0@$WISH"`, `"$REG/a:1.0.0@$WISH"`},
	} {
		for _, locked := range []bool{true, false} {
			t.Run(test.name, func(t *testing.T) {
				p := newProject(t)
				p.push("OLD", "a:2.0.0")
				p.push("OLD", "a:stable")
				p.push("WISH", "a:1.0.0")
				p.push("WISH", "a:same")
				p.packs("a = " + test.entry)
				if locked {
					p.mustRun()
				}
				got := p.updated(vendorer.UpdateOptions{Targets: []vendorer.Target{{Name: "a", Tag: "1.0.0"}}})
				p.wantFile("app/packs.toml", "[packs]\na = "+test.want+"\n")
				p.wantPack("a", "$WISH_LAYER")
				if (got.Before.Name != "") != locked {
					t.Errorf("report %+v", got)
				}
				p.wantNothingWritten()
				p.wantFound(true)
			})
		}
	}
}

func TestFollowWishFails(t *testing.T) {
	p := newProject(t)
	p.push("A", "a:1.0.0")
	p.packs(`a = "$REG/a:1.0.0@$A"`, `b = { ref = "$REG/a", version = "^1" }`)
	p.mustRun()
	p.reg.ResetRequests()
	two := func(targets ...vendorer.Target) func() error {
		return p.updatesWith(vendorer.UpdateOptions{Targets: targets})
	}
	err := p.fails(two(vendorer.Target{Name: "b", Tag: "1.0.0"}), `$DIR/packs.toml:3: packs.b: its tag is chosen by version = "^1" in packs.toml, so it cannot be 1.0.0`)
	var ranged *vendorer.RangeError
	if !errors.As(err, &ranged) || *ranged != (vendorer.RangeError{Repository: p.expand("$REG/a"), Range: "^1", Tag: "1.0.0"}) {
		t.Errorf("error %+v", ranged)
	}
	err = p.fails(two(vendorer.Target{Name: "a", Tag: "1.0.0"}, vendorer.Target{Name: "a"}), "a is named twice, with different tags")
	var twice *vendorer.UsageError
	if !errors.As(err, &twice) || twice.Subject != "a" {
		t.Errorf("error %v", err)
	}
	p.fails(two(vendorer.Target{Name: "a", Tag: "1.0.0"}, vendorer.Target{Name: "x"}, vendorer.Target{Name: "a", Tag: "2.0.0"}, vendorer.Target{Name: "x"}),
		"$DIR/packs.toml has no pack \"x\"\na is named twice, with different tags")
	p.wantRequests()
	p.fails(two(vendorer.Target{Name: "a", Tag: "2.0.0"}), "$DIR/packs.toml:2: packs.a: cannot resolve $REG/a:2.0.0: GET https://$REG/v2/a/manifests/2.0.0: 404 not found or private: MANIFEST_UNKNOWN: manifest unknown\n\ttags that are there: 1.0.0")
	p.must(two(vendorer.Target{Name: "a", Tag: "1.0.0"}, vendorer.Target{Name: "a", Tag: "1.0.0"})())
}

func TestParseTarget(t *testing.T) {
	for s, want := range map[string]vendorer.Target{
		"a": {Name: "a"}, "": {}, "a@1.0.0": {Name: "a", Tag: "1.0.0"}, "@x": {Tag: "x"}, "a-b@v1_2.3-": {Name: "a-b", Tag: "v1_2.3-"},
	} {
		if got, err := vendorer.ParseTarget(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"a@": `tag "" is empty`, "a@b@c": `tag "b@c" is not letters, digits, '_', '.' and '-'`, "a@\u202e": `tag "\u202e" is not letters, digits, '_', '.' and '-'`,
	} {
		_, err := vendorer.ParseTarget(s)
		var tag *vendorer.UsageError
		if !errors.As(err, &tag) || err.Error() != want {
			t.Errorf("%q: %v, want %s", s, err, want)
		}
	}
}

// A dry run reports the changes of the update, and writes nothing.
func TestUpdateDryRun(t *testing.T) {
	p := newProject(t)
	p.push("OLD", "a:1.0.0")
	p.packs(`a = "$REG/a:1.0.0@$OLD"`, `b = { ref = "$REG/a", version = "^1" }`, `z = "$REG/a@$OLD"`)
	p.mustRun()
	p.push("NEW", "a:1.1.0")
	p.packs(`a = "$REG/a:1.0.0@$OLD"`, `b = { ref = "$REG/a", version = "^1" }`)
	before := p.snapshot(true)
	update := func(dry bool) *vendorer.Report {
		report, err := vendorer.Update(context.Background(), p.options, vendorer.UpdateOptions{DryRun: dry})
		p.must(err)
		return report
	}
	dry := update(true)
	if p.snapshot(true) != before {
		t.Error("a dry run wrote")
	}
	if !dry.DryRun || len(dry.Written)+len(dry.Deleted) > 0 || dry.Packs[0].Written {
		t.Errorf("dry run: %+v", dry)
	}
	wet := update(false)
	for i, pack := range dry.Packs {
		if pack.Entry != wet.Packs[i].Entry || pack.Before != wet.Packs[i].Before || pack.Action != wet.Packs[i].Action {
			t.Errorf("dry %+v\nthen %+v", pack, wet.Packs[i])
		}
	}
	if want := []string{"z"}; !slices.Equal(dry.Dropped, want) || !slices.Equal(wet.Dropped, want) {
		t.Errorf("dropped %v, then %v", dry.Dropped, wet.Dropped)
	}
	p.wantPack("a", "$NEW_LAYER")
}

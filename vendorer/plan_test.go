package vendorer_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer"
)

// planInput is one pack in packs.toml, packs.lock and on disk.
type planInput struct {
	pack     packsfile.Pack
	entry    lockfile.Entry
	vendored vendorer.Vendored
}

func agreed() planInput {
	return planInput{
		pack:     packsfile.Pack{Name: "a", Ref: "r.io/a:1", Version: "^1", Layer: "x/y"},
		entry:    lockfile.Entry{Name: "a", Ref: "r.io/a:1", Version: "^1", Layer: "x/y", LayerDigest: "sha256:aa", Size: 3},
		vendored: vendorer.Vendored{Content: verified.Content{Digest: "sha256:aa", Size: 3}},
	}
}

func TestMakePlan(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*planInput)
		locked bool
		update bool
		action vendorer.Action
		reason vendorer.Reason
	}{
		{"all agree", func(*planInput) {}, true, false, vendorer.Keep, ""},
		{"other fields do not make stale", func(in *planInput) { in.entry.Tag, in.entry.MediaType = "t", "m/n" }, true, false, vendorer.Keep, ""},
		{"no file", func(in *planInput) { in.vendored = vendorer.Vendored{} }, true, false, vendorer.Restore, vendorer.Missing},
		{"other bytes", func(in *planInput) { in.vendored.Digest = "sha256:bb" }, true, false, vendorer.Restore, vendorer.Changed},
		{"other size", func(in *planInput) { in.vendored.Size = 4 }, true, false, vendorer.Restore, vendorer.Changed},
		{"LFS pointer", func(in *planInput) {
			in.vendored = vendorer.Vendored{Content: verified.Content{Digest: "sha256:cc", Size: 130}, LFS: true}
		}, true, false, vendorer.Restore, vendorer.Changed},
		{"no entry", func(*planInput) {}, false, false, vendorer.Resolve, vendorer.Unlocked},
		{"no entry, update", func(*planInput) {}, false, true, vendorer.Resolve, vendorer.Unlocked},
		{"other ref", func(in *planInput) { in.entry.Ref = "r.io/a:2" }, true, false, vendorer.Resolve, vendorer.Stale},
		{"other version", func(in *planInput) { in.entry.Version = "" }, true, false, vendorer.Resolve, vendorer.Stale},
		{"other layer", func(in *planInput) { in.pack.Layer = "" }, true, false, vendorer.Resolve, vendorer.Stale},
		{"other path", func(in *planInput) { in.pack.Path = "a.gtpack" }, true, false, vendorer.Resolve, vendorer.Stale},
		{"stale, no file", func(in *planInput) { in.entry.Ref, in.vendored = "r.io/a:2", vendorer.Vendored{} }, true, false, vendorer.Resolve, vendorer.Stale},
		{"update", func(*planInput) {}, true, true, vendorer.Resolve, vendorer.Updated},
		{"update, stale", func(in *planInput) { in.entry.Ref = "r.io/a:2" }, true, true, vendorer.Resolve, vendorer.Updated},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := agreed()
			test.change(&in)
			lock := &lockfile.Lock{}
			if test.locked {
				lock.Entries = []lockfile.Entry{in.entry}
			} else {
				in.entry = lockfile.Entry{}
			}
			got := vendorer.MakePlan([]packsfile.Pack{in.pack}, lock, map[string]vendorer.Vendored{"a": in.vendored}, nil, map[string]bool{"a": test.update})
			want := vendorer.Plan{Steps: []vendorer.Step{{Pack: in.pack, Action: test.action, Reason: test.reason, Locked: in.entry, Vendored: in.vendored}}}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// wholePlan has a pack of every kind, and two surplus entries.
func wholePlan() ([]packsfile.Pack, *lockfile.Lock, map[string]vendorer.Vendored, map[string]vendorer.LocalFile, map[string]bool) {
	pack := func(name string) packsfile.Pack { return packsfile.Pack{Name: name, Ref: "r.io/" + name + ":1"} }
	entry := func(name string) lockfile.Entry {
		return lockfile.Entry{Name: name, Ref: "r.io/" + name + ":1", LayerDigest: "sha256:aa", Size: 3}
	}
	right := vendorer.Vendored{Content: verified.Content{Digest: "sha256:aa", Size: 3}}
	wrong := vendorer.Vendored{Content: verified.Content{Digest: "sha256:bb", Size: 3}}
	stale := entry("stale")
	stale.Ref = "r.io/stale:0"
	built := entry("built")
	built.Ref, built.Path = "", "built.gtpack"
	packs := []packsfile.Pack{{Name: "built", Path: "built.gtpack"}, pack("changed"), pack("kept"), pack("missing"), pack("new"), pack("stale"), pack("updated")}
	lock := &lockfile.Lock{Entries: []lockfile.Entry{built, entry("changed"), entry("dropped"), entry("kept"), entry("missing"), stale, entry("updated"), entry("zombie")}}
	vendored := map[string]vendorer.Vendored{"changed": wrong, "kept": right, "updated": right, "dropped": right, "built": right}
	files := map[string]vendorer.LocalFile{"built": {Content: verified.Content{Digest: "sha256:bb", Size: 3}}}
	return packs, lock, vendored, files, map[string]bool{"updated": true}
}

func TestPlanString(t *testing.T) {
	const want = `built: resolve (file changed)
changed: restore (vendored otherwise)
kept: keep
missing: restore (not vendored)
new: resolve (not locked)
stale: resolve (lock is stale)
updated: resolve (update)
dropped: drop (not in packs.toml)
zombie: drop (not in packs.toml)
`
	plan := vendorer.MakePlan(wholePlan())
	if got := plan.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	var surplus []string
	for _, entry := range plan.Surplus {
		surplus = append(surplus, entry.Name)
	}
	if !slices.Equal(surplus, []string{"dropped", "zombie"}) {
		t.Errorf("surplus %v", surplus)
	}
	if empty := (vendorer.Plan{}).String(); empty != "" {
		t.Errorf("an empty plan says %q", empty)
	}
}

func TestMakePlanIsPure(t *testing.T) {
	packs, lock, vendored, files, update := wholePlan()
	first := vendorer.MakePlan(packs, lock, vendored, files, update)
	packs2, lock2, vendored2, files2, update2 := wholePlan()
	if !reflect.DeepEqual(packs, packs2) || !reflect.DeepEqual(lock, lock2) || !reflect.DeepEqual(vendored, vendored2) || !reflect.DeepEqual(files, files2) || !reflect.DeepEqual(update, update2) {
		t.Error("MakePlan changed what it was given")
	}
	if again := vendorer.MakePlan(packs, lock, vendored, files, update); !reflect.DeepEqual(first, again) {
		t.Errorf("got  %+v\nthen %+v", first, again)
	}
}

package lockfile_test

import (
	"reflect"
	"testing"

	"github.com/greenticai/packvendor/lockfile"
)

func TestDiff(t *testing.T) {
	moved := slack("moved")
	moved.Ref, moved.ManifestDigest, moved.Size = repo+"@"+string(digestC), digestC, 13
	every := lockfile.Entry{
		Name: "every", Ref: repo, Version: "^1", Layer: string(digestD), Tag: "1.0.0",
		IndexDigest: digestA, ManifestDigest: digestC, LayerDigest: digestD, Size: 1, MediaType: "a/b",
		Signer: signers[0], Evidence: digestA,
	}
	before := &lockfile.Lock{Entries: []lockfile.Entry{slack("every"), slack("gone"), slack("moved"), slack("same")}}
	after := &lockfile.Lock{Entries: []lockfile.Entry{every, slack("fresh"), moved, slack("same")}}
	want := []lockfile.EntryChange{
		{Name: "every", Kind: lockfile.Changed, Old: slack("every"), New: every, Fields: []string{
			"ref", "version", "layer", "tag", "index_digest", "manifest_digest", "layer_digest", "size", "media_type", "signer", "evidence",
		}},
		{Name: "fresh", Kind: lockfile.Added, New: slack("fresh")},
		{Name: "gone", Kind: lockfile.Removed, Old: slack("gone")},
		{Name: "moved", Kind: lockfile.Changed, Old: slack("moved"), New: moved, Fields: []string{
			"ref", "manifest_digest", "size",
		}},
	}
	if got := lockfile.Diff(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestDiffNone(t *testing.T) {
	l := &lockfile.Lock{Entries: []lockfile.Entry{slack("a")}}
	if got := lockfile.Diff(l, parse(t, lockfile.Format(l))); got != nil {
		t.Errorf("got %+v, want none", got)
	}
	if got := lockfile.Diff(nil, nil); got != nil {
		t.Errorf("nil locks: got %+v, want none", got)
	}
	want := []lockfile.EntryChange{{Name: "a", Kind: lockfile.Added, New: slack("a")}}
	if got := lockfile.Diff(nil, l); !reflect.DeepEqual(got, want) {
		t.Errorf("from nil: got %+v, want %+v", got, want)
	}
}

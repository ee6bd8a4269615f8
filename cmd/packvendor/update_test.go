package main

import (
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/console"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/vendorer"
)

// The hint of outdated helps; if other packs failed, it names only those that it can
// help.
func TestUpdateHint(t *testing.T) {
	now, newer := vendorer.TaggedDigest{Tag: "1.0.0"}, vendorer.TaggedDigest{Tag: "1.1.0", Digest: "sha256:1"}
	same := vendorer.OutdatedPack{Name: "same", Now: now, Update: now, Newest: now}
	ranged := vendorer.OutdatedPack{Name: "range", Now: now, Update: now, Newest: newer}
	compatible := vendorer.OutdatedPack{Name: "compatible", Now: now, Update: newer, Newest: newer, IsOutdated: true}
	latest := vendorer.OutdatedPack{Name: "latest", Now: now, Update: now, Newest: newer, IsOutdated: true}
	for _, test := range []struct {
		outlooks []vendorer.OutdatedPack
		failed   bool
		want     string
	}{
		{nil, false, ""},
		{[]vendorer.OutdatedPack{same, ranged}, true, ""},
		{[]vendorer.OutdatedPack{same, latest}, false, "packvendor update --latest"},
		{[]vendorer.OutdatedPack{same, latest, latest}, true, "packvendor update --latest latest latest"},
		{[]vendorer.OutdatedPack{latest, compatible, ranged}, false, "packvendor update"},
		{[]vendorer.OutdatedPack{latest, compatible, ranged}, true, "packvendor update compatible"},
	} {
		c := &cli{say: &console.Printer{Hints: hint.Context{File: "packs.toml"}}}
		if got := c.say.Hints.Text(c.updateHint(test.outlooks, test.failed)); got != test.want {
			t.Errorf("%v, failed %v: %q, want %q", test.outlooks, test.failed, got, test.want)
		}
	}
}

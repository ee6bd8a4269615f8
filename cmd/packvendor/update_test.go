package main

import (
	"testing"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/console"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/vendorer"
)

// The hint of outdated is what helps, and where other packs failed it names those
// that can be helped.
func TestUpdateHint(t *testing.T) {
	now, newer := vendorer.Mark{Tag: "1.0.0"}, vendorer.Mark{Tag: "1.1.0"}
	same := vendorer.Outlook{Name: "same", Now: now, Update: now, Newest: now}
	ranged := vendorer.Outlook{Name: "range", Now: now, Update: now, Newest: newer}
	compatible := vendorer.Outlook{Name: "compatible", Now: now, Update: newer, Newest: newer, IsOutdated: true}
	latest := vendorer.Outlook{Name: "latest", Now: now, Update: now, Newest: newer, IsOutdated: true}
	for _, test := range []struct {
		outlooks []vendorer.Outlook
		failed   bool
		want     string
	}{
		{nil, false, ""},
		{[]vendorer.Outlook{same, ranged}, true, ""},
		{[]vendorer.Outlook{same, latest}, false, "packvendor update --latest"},
		{[]vendorer.Outlook{same, latest, latest}, true, "packvendor update --latest latest latest"},
		{[]vendorer.Outlook{latest, compatible, ranged}, false, "packvendor update"},
		{[]vendorer.Outlook{latest, compatible, ranged}, true, "packvendor update compatible"},
	} {
		c := &cli{say: &console.Printer{Hints: hint.Context{File: "packs.toml"}}}
		if got := c.say.Hints.Text(c.updateHint(test.outlooks, test.failed)); got != test.want {
			t.Errorf("%v, failed %v: %q, want %q", test.outlooks, test.failed, got, test.want)
		}
	}
}

package main

import (
	"testing"
	"time"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

func TestSummary(t *testing.T) {
	old, now := lockfile.Entry{Name: "a", Ref: "r.io/a:1", Size: 1000}, lockfile.Entry{Name: "a", Ref: "r.io/a:2", Size: 1_500_000}
	var (
		added    = vendorer.PackReport{Entry: now, Written: true, Fetched: true}
		cached   = vendorer.PackReport{Entry: now, Written: true}
		updated  = vendorer.PackReport{Entry: now, Before: old, Written: true, Fetched: true}
		relocked = vendorer.PackReport{Entry: now, Before: old}
		restored = vendorer.PackReport{Entry: now, Before: now, Written: true}
		kept     = vendorer.PackReport{Entry: now, Before: now}
	)
	for _, test := range []struct {
		name   string
		report vendorer.Report
		want   string // "" for no output
	}{
		{"nothing", vendorer.Report{}, ""},
		{"all is kept", vendorer.Report{Packs: []vendorer.PackReport{kept, kept}}, ""},
		{"added", vendorer.Report{Packs: []vendorer.PackReport{added, kept}, Written: []string{"packs.lock"}}, "1 pack added; 1.5 MB downloaded"},
		{"two added", vendorer.Report{Packs: []vendorer.PackReport{added, added}}, "2 packs added; 3.0 MB downloaded"},
		{"from the cache", vendorer.Report{Packs: []vendorer.PackReport{cached}}, "1 pack added; 1.5 MB from the cache"},
		{"both", vendorer.Report{Packs: []vendorer.PackReport{added, cached, cached}}, "3 packs added; 1.5 MB downloaded, 3.0 MB from the cache"},
		{"updated", vendorer.Report{Packs: []vendorer.PackReport{updated}}, "1 pack updated; 1.5 MB downloaded"},
		{"the same bytes under another name", vendorer.Report{Packs: []vendorer.PackReport{relocked}}, "1 pack updated"},
		{"restored", vendorer.Report{Packs: []vendorer.PackReport{restored}}, "1 pack restored; 1.5 MB from the cache"},
		{"removed", vendorer.Report{Dropped: []string{"b", "c"}}, "2 packs removed"},
		{"all of it", vendorer.Report{Packs: []vendorer.PackReport{added, updated, restored, kept}, Dropped: []string{"b"}}, "1 pack added, 1 updated, 1 restored, 1 removed; 3.0 MB downloaded, 1.5 MB from the cache"},
		{"files alone", vendorer.Report{Packs: []vendorer.PackReport{kept}, Written: []string{"packs_gen.go", "packs.lock"}}, "wrote packs_gen.go, packs.lock"},
		{"nothing was done", vendorer.Report{Packs: []vendorer.PackReport{added}, Dropped: []string{"b"}, DryRun: true}, ""},
	} {
		want := test.want
		if want != "" {
			want += "; 1.2s"
		}
		if got := summaryOf(&test.report).text(1234 * time.Millisecond); got != want {
			t.Errorf("%s: %q, want %q", test.name, got, want)
		}
	}
}

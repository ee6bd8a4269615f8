package main

import (
	"os"
	"path/filepath"
	"testing"
)

// docs/scale.md has the figures of this program.
func TestScale(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "scale.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := withScale(string(data), theFleet)
	if err != nil || text != string(data) {
		t.Errorf("docs/scale.md (%v) is out of date: go run -C bench ./fleet", err)
	}
	if _, err := withScale("no place", theFleet); err == nil {
		t.Error("a text without a place for the tables is no error")
	}
}

// A small fleet, by hand: two projects of two packs each out of two.
func TestSimulate(t *testing.T) {
	f := fleet{jobs: 100, projects: 2, packs: 2, catalogue: 2, releases: 0, runners: 3, size: 1000, manifest: 10, hours: 2}
	for _, test := range []struct {
		memory
		first, last traffic
	}{
		{none, f.asks(200, 100), f.asks(200, 100)},
		{runners, f.asks(6, 3), traffic{}},
		{projects, f.asks(4, 2), traffic{}},
		{mirror, f.asks(2, 1), traffic{}},
		{commits, traffic{}, traffic{}},
	} {
		hours := f.simulate(test.memory)
		if hours[0] != test.first || hours[1] != test.last {
			t.Errorf("%v: got %+v, want %+v and %+v", test.memory, hours, test.first, test.last)
		}
	}
	f.releases = 1
	if got, want := f.simulate(mirror)[1], f.asks(1, 1); got != want {
		t.Errorf("after a release the mirror asks for %+v, want %+v", got, want)
	}
}

// asks is the traffic of so many packs in so many runs.
func (f fleet) asks(packs, runs int) traffic {
	return traffic{pings: runs, tokens: packs, manifests: packs, blobs: packs, bytes: int64(packs) * (f.size + f.manifest)}
}

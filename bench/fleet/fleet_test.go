package main

import (
	"os"
	"path/filepath"
	"testing"
)

// docs/scale.md has the figures of this program, and of its last trial.
func TestScale(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "scale.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := lastMeasurement(t)
	text, err := withScale(string(data), theFleet, m)
	if err != nil || text != string(data) {
		t.Errorf("docs/scale.md (%v) is out of date: go run -C bench ./fleet", err)
	}
	for _, text := range []string{"no place", modelBegin + modelEnd, trialBegin + trialEnd} {
		if _, err := withScale(text, theFleet, m); err == nil {
			t.Errorf("%q, without places for all tables, is no error", text)
		}
	}
}

func lastMeasurement(t *testing.T) measurement {
	t.Helper()
	m, err := readMeasurement(filepath.Base(measuredFile))
	if err != nil {
		t.Fatal(err)
	}
	return m
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
		{mirror, f.mirrorAsks(2), traffic{}},
		{commits, traffic{}, traffic{}},
	} {
		hours := f.simulate(test.memory)
		if hours[0] != test.first || hours[1] != test.last {
			t.Errorf("%v: got %+v, want %+v and %+v", test.memory, hours, test.first, test.last)
		}
	}
	f.releases = 1
	if got, want := f.simulate(mirror)[1], f.mirrorAsks(1); got != want {
		t.Errorf("after a release the mirror asks for %+v, want %+v", got, want)
	}
}

// asks is the traffic of so many packs in so many runs.
func (f fleet) asks(packs, runs int) traffic {
	return traffic{pings: runs, tokens: packs, manifests: packs, blobs: packs, bytes: int64(packs) * (f.size + f.manifest)}
}

// mirrorAsks is the traffic of a mirror that reads so many packs.
func (f fleet) mirrorAsks(packs int) traffic {
	return traffic{tokens: 2 * packs, manifests: packs, heads: packs, blobs: 2 * packs, bytes: int64(packs) * (2*f.size + f.manifest)}
}

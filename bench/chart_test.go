package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestBarChart(t *testing.T) {
	chart := barChart{
		title: "packvendor's time, as a part of the other command's",
		label: "ratio of times: left of 1 packvendor is faster",
		bars: []bar{
			{what: "nothing to do, 100 packs of 1 MiB", against: "hash program", ratio: 1.12, low: 1.05, high: 1.21, limit: 1.3},
			{what: "nothing to do, 100 packs of 1 MiB", against: "sha256sum", ratio: 0.19, low: 0.15, high: 0.2, limit: 0.5},
			{what: "cold, 100 packs of 1 MiB", against: "curl, cp -r, sync", ratio: 1.08, low: 0.95, high: 1.3, limit: 1},
			{what: "cold, 100 packs of 1 MiB", against: "curl & <others>", ratio: 1.49, low: 1.4, high: 1.62},
			{what: "warm cache, 1 pack of 1 GiB", against: "cp, hash program", ratio: 1.2, low: 1.1, high: 1.25, limit: 1.2},
		},
	}
	wantGolden(t, "bars.svg", chart.svg())
	chart.bars = append(chart.bars, bar{what: "far", against: "off", ratio: 5.3, low: 5, high: 6.2, limit: 2})
	wantGolden(t, "bars-wide.svg", chart.svg())
}

func TestLineChart(t *testing.T) {
	chart := lineChart{
		title: "Cost of each pack, nothing to do", label: "packs of 16 KiB", from: 100, limit: 1.3,
		marks: []mark{{10, 5.6, 5.1, 6.4}, {100, 1, 1, 1}, {1000, 0.61, 0.55, 0.7}, {5000, 0.66, 0.6, 0.72}},
	}
	wantGolden(t, "scaling.svg", chart.svg())
	chart.marks = []mark{{10, 0.9, 0.8, 1.1}, {100, 1, 1, 1}, {1000, 1.2, 1.1, 1.3}, {5000, 1.7, 1.5, 1.8}}
	wantGolden(t, "scaling-missed.svg", chart.svg())
}

func TestDistanceChart(t *testing.T) {
	chart := distanceChart{
		title: "Cold, 100 packs of 16 KiB, against curl", label: "ratio of times: below 1 packvendor is faster",
		points: []distancePoint{{"loopback", 1.9, 1.7, 2.1, 0}, {"5 ms away", 1.5, 1.4, 1.8, 0}, {"50 ms away", 1.28, 1.2, 1.35, 1.3}, {"150 ms away", 1.15, 1.1, 1.2, 1.3}},
	}
	wantGolden(t, "distance.svg", chart.svg())
	wantGolden(t, "distance-dark.svg", dark(chart.svg()))
	chart.points = []distancePoint{{"loopback", 5.2, 4, 6.1, 0}, {"5 ms away", 1.5, 1.4, 1.8, 0}}
	wantGolden(t, "distance-wide.svg", chart.svg())
}

// wantGolden compares a picture with the one in testdata.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("%s (%v) differs: run go test -update, and look at the picture", file, err)
	}
}

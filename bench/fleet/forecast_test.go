package main

import (
	"testing"

	"github.com/greenticai/packvendor/bench/fleet/trial"
)

// What the last trial counted is within what the model says.
func TestForecast(t *testing.T) {
	m := lastMeasurement(t)
	if m.Size != trialSize {
		t.Errorf("the last trial was another one, %+v: go run -C bench ./fleet -run", m.Size)
	}
	rounds := 0
	for _, r := range m.Rounds {
		if r.Limited {
			continue
		}
		rounds++
		model, counted := forecastOf(m.Size, r.Phase, r.Way), r.Filling.Plus(r.Origin)
		for _, kind := range []struct {
			name    string
			model   span
			counted int
		}{
			{"manifests", model.manifests, counted.Manifests},
			{"blobs", model.blobs, counted.Blobs},
			{"lists", model.lists, counted.Tags},
		} {
			if !kind.model.holds(kind.counted) {
				t.Errorf("%s, %s: %d %s, but the model says %s", r.Phase, r.Way, kind.counted, kind.name, kind.model)
			}
		}
		if r.Exits[0] != m.Size.Projects {
			t.Errorf("%s, %s: exit codes %v", r.Phase, r.Way, r.Exits)
		}
	}
	if rounds != 9 {
		t.Errorf("%d rounds, want 9", rounds)
	}
}

// A small trial, by hand: trial.TestTrial counts the same numbers.
func TestForecastSmall(t *testing.T) {
	size := trial.Size{Projects: 6, Groups: 2, Packs: 4, Catalogue: 8, Releases: 3}
	none := span{}
	for _, test := range []struct {
		phase trial.Phase
		way   trial.Way
		want  forecast
	}{
		{trial.Cold, trial.Direct, forecast{exactly(12), exactly(12), none}},
		{trial.Cold, trial.Proxy, forecast{span{8, 12}, span{8, 24}, none}},
		{trial.Cold, trial.Filled, forecast{exactly(8), exactly(16), none}},
		{trial.Update, trial.Direct, forecast{exactly(10), exactly(4), exactly(24)}},
		{trial.Update, trial.Proxy, forecast{exactly(10), exactly(4), exactly(24)}},
		{trial.Update, trial.Filled, forecast{exactly(3), exactly(6), exactly(32)}},
		{trial.Again, trial.Direct, forecast{exactly(4), exactly(4), none}},
		{trial.Again, trial.Proxy, forecast{span{3, 4}, span{3, 8}, none}},
		{trial.Again, trial.Filled, forecast{none, none, none}},
	} {
		if got := forecastOf(size, test.phase, test.way); got != test.want {
			t.Errorf("%s, %s: %+v, want %+v", test.phase, test.way, got, test.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, test := range []struct {
		span
		words string
	}{{span{3, 3}, "3"}, {span{120, 1740}, "120 to 1,740"}} {
		if got := test.String(); got != test.words {
			t.Errorf("%q, want %q", got, test.words)
		}
		for n, want := range map[int]bool{test.least - 1: false, test.least: true, test.most: true, test.most + 1: false} {
			if test.holds(n) != want {
				t.Errorf("%s holds %d: %t", test.words, n, !want)
			}
		}
	}
}

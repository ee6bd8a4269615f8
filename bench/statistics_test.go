package main

import (
	"fmt"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		values           []float64
		median, min, max float64
	}{
		{nil, 0, 0, 0},
		{[]float64{3}, 3, 3, 3},
		{[]float64{4, 1}, 2.5, 1, 4},
		{[]float64{9, 1, 2}, 2, 1, 9},
		{[]float64{5, 1, 4, 2}, 3, 1, 5},
	} {
		before := fmt.Sprint(test.values)
		s := spread{test.values}
		if s.median() != test.median || s.min() != test.min || s.max() != test.max {
			t.Errorf("%v: median %g, least %g, greatest %g", test.values, s.median(), s.min(), s.max())
		}
		if fmt.Sprint(s.values) != before {
			t.Errorf("%s became %v", before, s.values)
		}
	}
}

// Ratios are of the same round: where all is twice as slow for a while, they stay.
func TestSpreadOver(t *testing.T) {
	a, b := spread{[]float64{1, 2, 1}}, spread{[]float64{2, 4, 2}}
	if got := a.over(b); fmt.Sprint(got.values) != "[0.5 0.5 0.5]" || got.String() != "0.50–0.50" {
		t.Errorf("got %v", got.values)
	}
	if got := a.over(spread{[]float64{0, 1}}); fmt.Sprint(got.values) != "[2]" {
		t.Errorf("got %v, want what can be divided and has its round", got.values)
	}
}

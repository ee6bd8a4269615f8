package main

import "testing"

// The project's space counts beside that of the cache.
func TestBySpace(t *testing.T) {
	c := comparison{title: "warm"}
	for _, test := range []struct {
		clones, copies float64
		measured       string
		met            bool
	}{
		{0, 100, "0.50", true},
		{10, 100, "0.55", true},
		{12, 100, "0.56", false},
		{100, 100, "1.00", false},
	} {
		v := bySpace(c, "a copy", 100, spread{[]float64{test.clones}}, spread{[]float64{test.copies}})
		if v.Measured != test.measured || v.Met != test.met || v.Target != "≤ 0.55" || v.Case != "warm, space of the cache and the project" || v.Against != "a copy" {
			t.Errorf("%g and %g: %+v", test.clones, test.copies, v)
		}
	}
}

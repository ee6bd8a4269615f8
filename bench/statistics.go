package main

import (
	"fmt"
	"slices"
)

// A spread is what the same thing came to each time it was measured.
type spread struct{ values []float64 }

// median is the middle value, the mean of the middle two where there is none; 0
// if nothing was measured.
func (s spread) median() float64 {
	n := len(s.values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (s spread) min() float64 {
	if len(s.values) == 0 {
		return 0
	}
	return slices.Min(s.values)
}

func (s spread) max() float64 {
	if len(s.values) == 0 {
		return 0
	}
	return slices.Max(s.values)
}

// over returns what s is of another spread, round by round: two things that were
// measured one right after the other share the noise of that moment.
func (s spread) over(other spread) spread {
	var ratios spread
	for i, value := range s.values {
		if i < len(other.values) && other.values[i] > 0 {
			ratios.values = append(ratios.values, value/other.values[i])
		}
	}
	return ratios
}

// String is the least and the greatest value.
func (s spread) String() string { return fmt.Sprintf("%.2f–%.2f", s.min(), s.max()) }

package main

import (
	"slices"
	"testing"
)

// In each round everybody runs once; over the rounds everybody begins, and nobody
// has the same one before it each time.
func TestTurns(t *testing.T) {
	for n := 1; n <= 6; n++ {
		began, before := map[int]bool{}, map[int]map[int]bool{}
		for round := range 2 * n {
			order := turns(round, n)
			began[order[0]] = true
			for at, i := range order[1:] {
				if before[i] == nil {
					before[i] = map[int]bool{}
				}
				before[i][order[at]] = true
			}
			slices.Sort(order)
			for i, got := range order {
				if got != i {
					t.Errorf("%d tools, round %d: %v", n, round, order)
				}
			}
		}
		for i := range n {
			if n > 2 && len(before[i]) < 2 {
				t.Errorf("%d tools: %d runs after %v alone", n, i, before[i])
			}
		}
		if len(began) < n {
			t.Errorf("%d tools: only %v begin", n, began)
		}
	}
}

// Package nearest finds the known word behind a misspelt one.
package nearest

import "strings"

// maxDistance bounds the typing errors in a word.
const maxDistance = 2

// Of returns the word of known that word most likely means: one that differs in case,
// or by at most two typing errors that leave something of it. It returns "" if there is
// none; of equally near ones the first.
func Of(word string, known []string) string {
	best, distance := "", maxDistance+1
	for _, k := range known {
		if d := levenshtein(strings.ToLower(word), strings.ToLower(k)); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	return best
}

// levenshtein returns the edit distance of a and b; beyond maxDistance it may return
// any larger number.
func levenshtein(a, b string) int {
	if len(a)-len(b) > maxDistance || len(b)-len(a) > maxDistance {
		return maxDistance + 1 // a word of megabytes stays cheap
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

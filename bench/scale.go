package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// What is between these lines of docs/scale.md is written by this program.
const (
	scaleBegin = "<!-- Below: go run -C bench . -scale -->\n"
	scaleEnd   = "<!-- Above: go run -C bench . -scale -->\n"
)

// writeScale puts the simulation's figures into docs/scale.md.
func writeScale(checkout string) error {
	file := filepath.Join(checkout, "docs", "scale.md")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := withScale(string(data), theFleet)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o666)
}

// withScale is text with the fleet's tables in their place.
func withScale(text string, f fleet) (string, error) {
	before, rest, found := strings.Cut(text, scaleBegin)
	_, after, ended := strings.Cut(rest, scaleEnd)
	if !found || !ended {
		return "", fmt.Errorf("there is no place for the tables, between %q and %q", scaleBegin, scaleEnd)
	}
	return before + scaleBegin + f.tables() + scaleEnd + after, nil
}

// anonymousPulls is how many manifests Docker Hub lets one address read in six
// hours without credentials: docs/scale.md says where it is written.
const anonymousPulls = 100

// tables are what the registry is asked, in the first hour, which begins with
// nothing, and in the last one.
func (f fleet) tables() string {
	var load, limits strings.Builder
	load.WriteString("\n| what jobs find | requests an hour | tokens | manifests | blobs | bytes |\n|---|---|---|---|---|---|\n")
	limits.WriteString("\n| what jobs find | requests a minute | addresses, at Docker Hub's limit for the anonymous |\n|---|---|---|\n")
	for _, m := range memories {
		hours := f.simulate(m.memory)
		first, last := hours[0], hours[len(hours)-1]
		fmt.Fprintf(&load, "| %s | %s | %s | %s | %s | %s |\n", m.name,
			fromTo(thousands(int64(first.requests())), thousands(int64(last.requests()))),
			fromTo(thousands(int64(first.Tokens)), thousands(int64(last.Tokens))),
			fromTo(thousands(int64(first.Manifests)), thousands(int64(last.Manifests))),
			fromTo(thousands(int64(first.Blobs)), thousands(int64(last.Blobs))),
			fromTo(gigabytes(first.Bytes), gigabytes(last.Bytes)))
		fmt.Fprintf(&limits, "| %s | %s | %s |\n", m.name,
			fromTo(thousands(roundedUp(first.requests(), 60)), thousands(roundedUp(last.requests(), 60))),
			fromTo(thousands(roundedUp(6*first.Manifests, anonymousPulls)), thousands(roundedUp(6*last.Manifests, anonymousPulls))))
	}
	return load.String() + limits.String() + "\n"
}

// fromTo is a figure of the first hour and of the last, once if they are the same.
func fromTo(first, last string) string {
	if first == last {
		return first
	}
	return first + " → " + last
}

func gigabytes(bytes int64) string {
	if bytes == 0 {
		return "0"
	}
	return fmt.Sprintf("%.*f GB", map[bool]int{true: 2, false: 0}[bytes < 10_000_000_000], float64(bytes)/1e9)
}

func roundedUp(n, by int) int64 { return int64((n + by - 1) / by) }

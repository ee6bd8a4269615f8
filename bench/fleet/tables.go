package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
)

// What is between these lines of docs/scale.md is written by this program.
const (
	scaleBegin = "<!-- Below: go run -C bench ./fleet -->\n"
	scaleEnd   = "<!-- Above: go run -C bench ./fleet -->\n"
)

func main() {
	if err := writeScale(filepath.Join("..", "docs", "scale.md")); err != nil {
		fmt.Fprintf(os.Stderr, "fleet: %v\n", err)
		os.Exit(1)
	}
}

// writeScale puts the simulation's figures into the page.
func writeScale(file string) error {
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
			fromTo(humanize.Comma(int64(first.requests())), humanize.Comma(int64(last.requests()))),
			fromTo(humanize.Comma(int64(first.tokens)), humanize.Comma(int64(last.tokens))),
			fromTo(humanize.Comma(int64(first.manifests)), humanize.Comma(int64(last.manifests))),
			fromTo(humanize.Comma(int64(first.blobs)), humanize.Comma(int64(last.blobs))),
			fromTo(gigabytes(first.bytes), gigabytes(last.bytes)))
		fmt.Fprintf(&limits, "| %s | %s | %s |\n", m.name,
			fromTo(humanize.Comma(roundedUp(first.requests(), 60)), humanize.Comma(roundedUp(last.requests(), 60))),
			fromTo(humanize.Comma(roundedUp(6*first.manifests, anonymousPulls)), humanize.Comma(roundedUp(6*last.manifests, anonymousPulls))))
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

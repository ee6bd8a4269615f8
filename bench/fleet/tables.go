package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"
)

// What is between these lines of docs/scale.md is written by this program.
const (
	modelBegin = "<!-- Below: go run -C bench ./fleet -->\n"
	modelEnd   = "<!-- Above: go run -C bench ./fleet -->\n"
	trialBegin = "<!-- Below: go run -C bench ./fleet -run -->\n"
	trialEnd   = "<!-- Above: go run -C bench ./fleet -run -->\n"
)

// writeScale puts the figures of the simulation and of the last trial into the page.
func writeScale(file string, m measurement) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text, err := withScale(string(data), theFleet, m)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(text), 0o666)
}

// withScale is text with all tables in their places.
func withScale(text string, f fleet, m measurement) (string, error) {
	text, err := between(text, modelBegin, f.tables(), modelEnd)
	if err != nil {
		return "", err
	}
	return between(text, trialBegin, m.tables(), trialEnd)
}

// between is text with other tables between two lines.
func between(text, begin, tables, end string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("there is no place for tables, between %q and %q", begin, end)
	}
	return before + begin + tables + end + after, nil
}

// anonymousPulls is how many manifests Docker Hub lets one address read in six
// hours without credentials: docs/scale.md says where it is written.
const anonymousPulls = 100

// accountPulls is the same for an account of the plan Personal.
const accountPulls = 200

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

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// testReport is a report of two parts, without a machine.
func testReport() *report {
	r := &report{
		sizes: options{}.sizes(), rounds: 3,
		machine:  machine{Cores: 2, Processor: "Some CPU", Memory: 24 << 30, Kernel: "6.18.44", FileSystem: "ext4"},
		versions: []version{{"packvendor", "v1.0.0"}, {"go", "go1.26.8"}},
		day:      time.Date(2026, time.November, 25, 0, 0, 0, 0, time.UTC),
		notes:    "## Notes\n\nSo it is.\n",
	}
	cold := result{comparison: comparison{name: "cold", title: "cold, locked: 100 packs of 1 MiB", short: "cold, 100 packs of 1 MiB", tools: []tool{{}}}, outcomes: []outcome{
		measuredAs(tool{name: "packvendor"}, 1, 2, 1.5),
		measuredAs(tool{name: "curl", about: "`curl` of the same blobs", target: 1}, 1.25, 2, 2),
	}}
	cold.outcomes[0].traffic = traffic{Pings: 1, Manifests: 100, Blobs: 100, Bytes: 104_917_502}
	cold.verdicts = append(cold.byTime(), counted("requests, nothing to do", "—", 0, 0))
	scaling := result{comparison: comparison{name: "scaling-cold", title: "cold, each of 5,000 packs", short: "cold", tools: []tool{{units: 5000}}}, outcomes: []outcome{
		measuredAs(tool{name: "each of 5,000 packs", units: 5000}, 1, 1.2, 1.1),
		measuredAs(tool{name: "each of 100 packs", units: 100, target: 1.3}, 1, 1, 1),
	}}
	scaling.verdicts = scaling.byTime()
	r.results = []result{cold, scaling, testFar("0", 0, 0), testFar("50", 25, 1000), testFar("150", 75, 4000)}
	return r
}

// testFar is a result at a distance of so many milliseconds in one direction, from a network
// that was late by so many microseconds.
func testFar(name string, delay, late time.Duration) result {
	r := result{comparison: comparison{name: "network-small-" + name, title: "cold, " + name + " ms away", short: "cold, " + name + " ms away", tools: []tool{{}}}, outcomes: []outcome{
		measuredAs(tool{name: "packvendor"}, 2, 3, 2.5),
		measuredAs(tool{name: "curl", target: 1.3}, 2, 2, 2),
	}}
	r.outcomes[0].traffic.Connections = connections{All: 17, AtOnce: 16}
	r.outcomes[1].traffic.Connections = connections{All: 1, AtOnce: 1}
	r.path.Delay, r.late.Mean = delay*time.Millisecond, late*time.Microsecond
	r.late.Most = 3 * r.late.Mean
	r.verdicts = r.byTime()
	return r
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	if err := testReport().write(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		wantGolden(t, filepath.Join("report", entry.Name()), string(data))
	}
	if want := []string{
		"performance-distance-dark.svg", "performance-distance.svg", "performance-network-dark.svg", "performance-network.svg",
		"performance-ratios-dark.svg", "performance-ratios.svg", "performance-scaling-cold-dark.svg", "performance-scaling-cold.svg", "performance.md",
	}; !slices.Equal(names, want) {
		t.Errorf("wrote %q, want %q", names, want)
	}
}

// What is not all that there is to measure is not published.
func TestDocsDir(t *testing.T) {
	for line, want := range map[string]string{
		"":                   "/checkout/docs",
		"-n 9":               "/checkout/docs",
		"-quick":             "",
		"-run noop":          "",
		"-run noop -docs /d": "/d",
	} {
		o, err := parseOptions(strings.Fields(line), os.Stderr)
		if err != nil || o.docsDir("/checkout") != want {
			t.Errorf("%q: writes to %q, %v, want %q", line, o.docsDir("/checkout"), err, want)
		}
	}
}

package main

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/greenticai/packvendor/bench/fleet/trial"
)

// Words of the tables.
var (
	phaseWords = map[trial.Phase]string{
		trial.Cold:   "fresh clones, empty caches",
		trial.Update: "`update` after the releases",
		trial.Again:  "fresh clones after the releases",
	}
	wayWords = map[trial.Way]string{
		trial.Direct: "none",
		trial.Proxy:  "empty at first",
		trial.Filled: "filled by one job first",
	}
)

// tables are what was measured, beside what the model says.
func (m measurement) tables() string {
	var load, limits strings.Builder
	load.WriteString("\n| run | proxy | manifests | blobs | lists of tags | tokens | all requests | bytes | requests at the proxy |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	limits.WriteString("\n| proxy | manifests asked for | answered with 429 | projects that got their packs |\n|---|---|---|---|\n")
	for _, r := range m.Rounds {
		if r.Limited {
			t := r.Filling.Plus(r.Origin)
			fmt.Fprintf(&limits, "| %s | %s | %s | %d of %d |\n", wayWords[r.Way],
				comma(t.Manifests), comma(t.Limited), r.Exits[0], m.Size.Projects)
			continue
		}
		load.WriteString(m.row(r))
	}
	return load.String() + limits.String() + "\n"
}

// row is that of a round: the requests at the origin, each with the model's number.
func (m measurement) row(r trial.Round) string {
	t, model := r.Filling.Plus(r.Origin), forecastOf(m.Size, r.Phase, r.Way)
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", phaseWords[r.Phase], wayWords[r.Way],
		beside(t.Manifests, model.manifests), beside(t.Blobs, model.blobs), beside(t.Tags, model.lists),
		comma(t.Tokens), comma(t.Requests()), megabytes(t.Bytes), comma(r.Proxy.Requests()))
}

// beside is a measured number, and the model's if it is another one.
func beside(n int, model span) string {
	if model == exactly(n) {
		return comma(n)
	}
	return fmt.Sprintf("%s (%s)", comma(n), model)
}

func comma(n int) string { return humanize.Comma(int64(n)) }

func megabytes(bytes int64) string {
	if bytes == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

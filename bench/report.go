package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// notes.md is what people have found out about the figures.
//
//go:embed notes.md
var notes string

// A report is all that was measured.
type report struct {
	results  []result
	sizes    sizes
	rounds   int
	plain    bool
	quick    bool
	machine  machine
	versions []version
	day      time.Time
	notes    string
}

// report runs the suites that are chosen.
func (b *bench) report(ctx context.Context) (*report, error) {
	r := &report{
		sizes: b.sizes(), rounds: b.rounds, plain: b.plain, quick: b.quick,
		machine: thisMachine(b.work), versions: b.programs.versions(ctx, b.checkout), day: time.Now(), notes: notes,
	}
	for _, c := range suites() {
		if !b.chosen(c) {
			continue
		}
		res, err := c.run(b, ctx)
		if err != nil {
			return nil, err
		}
		r.results = append(r.results, res)
	}
	return r, nil
}

// charts are the report's pictures, by their files' names.
func (r *report) charts() map[string]string {
	charts := map[string]string{}
	if bars := r.bars(); len(bars.bars) > 0 {
		charts["performance-ratios.svg"] = bars.svg()
	}
	for _, res := range r.results {
		if strings.HasPrefix(res.name, "scaling-") {
			charts["performance-"+res.name+".svg"] = r.scalingChart(res).svg()
		}
	}
	return charts
}

// write writes the report and its charts into dir.
func (r *report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, svg := range r.charts() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(svg), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "performance.md"), []byte(r.markdown()), 0o666)
}

// markdown is the report as text.
func (r *report) markdown() string {
	var w strings.Builder
	r.introduction(&w)
	r.targets(&w)
	r.pictures(&w)
	r.costs(&w)
	r.setting(&w)
	if notes := strings.TrimSpace(r.notes); notes != "" && !r.quick {
		fmt.Fprintf(&w, "\n%s\n", notes)
	}
	return w.String()
}

func (r *report) introduction(w *strings.Builder) {
	transport := "HTTPS, with a certificate authority of its own that all of them trust"
	if r.plain {
		transport = "HTTP without TLS"
	}
	fmt.Fprintf(w, `# Performance

<!-- Written by "go run -C bench ." -->

packvendor side by side with what a user would pick instead, on one machine. This
page is written by

    go run -C bench .

which starts the registry server of the CNCF on loopback, pushes packs to it with
`+"`oras`"+`, and runs every command %d times, in turn with those that it is compared with,
after one time that does not count. Each run has a folder of its own; what was
written before it is on the disk when it begins, which it does not pay for, and what
it writes itself is given back after it. The registry and its clients share the cores,
the page cache and the disk. All speak
%s.

A figure of time is the median, over the rounds, of packvendor's time divided by that
of the other command in the same round; behind it are the least and the greatest of
those ratios. Machines differ and are noisy: a ratio says something of another one,
a time does not. What of this can be counted is held by tests that
`+"`go test ./...`"+` runs.
`, r.rounds, transport)
	if r.quick {
		w.WriteString("\nThis was a quick run: its figures say nothing.\n")
	}
}

// targets is the table of all verdicts.
func (r *report) targets(w *strings.Builder) {
	w.WriteString("\n## Targets\n\n| case | compared with | target | measured | least–greatest | met |\n|---|---|---|---|---|---|\n")
	for _, res := range r.results {
		for _, v := range res.verdicts {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", v.Case, v.Against, v.Target, v.Measured, v.Spread, v.met())
		}
	}
}

func (r *report) pictures(w *strings.Builder) {
	if len(r.charts()) == 0 {
		return
	}
	w.WriteString("\n## Pictures\n")
	for _, picture := range []struct{ file, alt string }{
		{"performance-ratios.svg", "packvendor's time as a part of the other command's, with the targets"},
		{"performance-scaling-cold.svg", "the cost of each pack, cold, by the number of packs"},
		{"performance-scaling-noop.svg", "the cost of each pack, nothing to do, by the number of packs"},
	} {
		if _, ok := r.charts()[picture.file]; ok {
			fmt.Fprintf(w, "\n![%s](%s)\n", picture.alt, picture.file)
		}
	}
}

// costs is the table of what each command cost.
func (r *report) costs(w *strings.Builder) {
	w.WriteString(`
## Costs

Time and processor time as multiples of packvendor's, medians of the rounds'
ratios; where packs are counted, of the cost of each. Peak memory is the largest
resident set of any of the command's processes; less than 8 MiB or so is not seen,
since that is what starts them. Requests and bytes are those that the registry noted.

| case | command | time | processor | peak memory | requests | bytes |
|---|---|---|---|---|---|---|
`)
	for _, res := range r.results {
		for i, o := range res.outcomes {
			title := ""
			if i == 0 {
				title = res.title
			}
			self := res.outcomes[0]
			fmt.Fprintf(w, "| %s | %s | %.2f | %.2f | %.1f MiB | %s | %s |\n", title, o.name,
				o.wall.over(self.wall).median(), o.cpu.over(self.cpu).median(), o.memory.median(),
				humanize.Comma(int64(o.traffic.requests())), humanize.Comma(o.traffic.Bytes))
		}
	}
}

// setting is what it was measured on.
func (r *report) setting(w *strings.Builder) {
	fmt.Fprintf(w, "\n## Setting\n\n%s, on %s.\n\n| program | version |\n|---|---|\n", r.machine, r.day.Format("2 January 2006"))
	for _, v := range r.versions {
		fmt.Fprintf(w, "| %s | %s |\n", v.Program, v.Version)
	}
}

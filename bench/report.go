package main

import (
	"context"
	_ "embed"
	"errors"
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

// A picture is a chart of the report.
type picture struct{ file, alt, svg string }

// pictures are those that the results are enough for.
func (r *report) pictures() (all []picture) {
	if near := r.bars(false); near.bars != nil {
		all = append(all, picture{"performance-ratios", "packvendor's time as a part of the other command's, with the targets", near.svg()})
	}
	if far := r.bars(true); far.bars != nil {
		all = append(all, picture{"performance-network", "the same at a distance from the registry", far.svg()})
	}
	if distance := r.byDistance(); len(distance.points) > 1 {
		all = append(all, picture{"performance-distance", "packvendor's time as a part of curl's, by the distance", distance.svg()})
	}
	for _, res := range r.results {
		if strings.HasPrefix(res.name, "scaling-") {
			all = append(all, picture{"performance-" + res.name, "the cost of each pack, " + res.short + ", by the number of packs", r.scalingChart(res).svg()})
		}
	}
	return all
}

// write writes the report and its charts into dir.
func (r *report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, p := range r.pictures() {
		err := errors.Join(
			os.WriteFile(filepath.Join(dir, p.file+".svg"), []byte(p.svg), 0o666),
			os.WriteFile(filepath.Join(dir, p.file+"-dark.svg"), []byte(dark(p.svg)), 0o666))
		if err != nil {
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
	r.gallery(&w)
	r.costs(&w)
	r.network(&w)
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

This page compares packvendor with the commands that a user would choose instead, on one
machine. This command writes the page:

    go run -C bench .

It starts the registry server of the CNCF on loopback, and pushes packs to it with `+"`oras`"+`.
Then it runs every command %d times, in turn with the commands that it is compared with,
after one run that does not count. Each run has a folder of its own. Before each run, all
earlier writes reach the disk; this is not part of the measured time. After each run, its
files are deleted. The registry and its clients share the cores, the page cache and the disk.
All speak
%s.
A case that is some milliseconds away has a proxy between the command and its servers, see
[The network](#the-network).

A figure of time is a median over the rounds: packvendor's time divided by the time of the
other command in the same round. The next column has the least and the greatest of these
ratios. Machines differ and are noisy, so ratios can be compared between machines, and times
cannot. Tests in `+"`go test ./...`"+` hold the costs that can be counted, such as requests.
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

// gallery shows all pictures.
func (r *report) gallery(w *strings.Builder) {
	pictures := r.pictures()
	if pictures == nil {
		return
	}
	w.WriteString("\n## Pictures\n")
	for _, p := range pictures {
		fmt.Fprintf(w, `
<picture>
  <source media="(prefers-color-scheme: dark)" srcset="%[1]s-dark.svg">
  <img src="%[1]s.svg" alt="%[2]s">
</picture>
`, p.file, p.alt)
	}
}

// costs is the table of what each command cost.
func (r *report) costs(w *strings.Builder) {
	w.WriteString(`
## Costs

Time and processor time are multiples of packvendor's: medians of the ratios of all
rounds. If a case counts packs, they are the cost of each pack. Peak memory is the largest
resident set of any process of the command. Values below about 8 MiB are not measured,
because the program that starts the command is as large. The registry's log has the requests
and bytes; those of other hosts are not in it.

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

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/greenticai/packvendor/vendorer"
)

// runJSON is the document of the bare run, add, remove and update with --json.
type runJSON struct {
	DryRun  bool       `json:"dry_run,omitempty"`
	Packs   []packJSON `json:"packs"`
	Dropped []string   `json:"dropped"`
	Written []string   `json:"written"`
	Deleted []string   `json:"deleted"`
	// Error is why packs were refused that update --keep-going has left as they are.
	Error *failureJSON `json:"error,omitempty"`
}

type packJSON struct {
	Name string `json:"name"`
	*lockedJSON
	Changed    bool `json:"changed"`           // its entry in packs.lock changed
	Written    bool `json:"written"`           // its vendored file was written
	Downloaded bool `json:"downloaded"`        // from the registry, not from the cache
	Refused    bool `json:"refused,omitempty"` // it was to be updated, and was not
}

func newRunJSON(report *vendorer.Report) runJSON {
	doc := runJSON{
		DryRun:  report.DryRun,
		Packs:   []packJSON{},
		Dropped: append([]string{}, report.Dropped...),
		Written: append([]string{}, report.Written...),
		Deleted: append([]string{}, report.Deleted...),
	}
	for _, p := range report.Packs {
		doc.Packs = append(doc.Packs, packJSON{
			Name: p.Name, lockedJSON: newLockedJSON(p.Pack),
			Changed: p.Pack != p.Before, Written: p.Written, Downloaded: p.Fetched, Refused: p.Refused,
		})
	}
	return doc
}

// reportRun says what a run did. lines, if not nil, returns what it prints of each
// pack, "" for nothing.
func (c *cli) reportRun(report *vendorer.Report, line func(vendorer.PackReport) string) error {
	c.say.written(report)
	if c.json {
		return c.printJSON(newRunJSON(report))
	}
	for _, p := range report.Packs {
		if line == nil || c.quiet && !report.DryRun { // what a dry run finds out is data
			break
		}
		if text := line(p); text != "" {
			if err := c.print("%s %s\n", p.Name, text); err != nil {
				return err
			}
		}
	}
	c.say.summary(summaryOf(report), c.elapsed())
	return nil
}

// counted is n and a noun: "1 pack", "2 packs".
func counted(n int, noun string) string { return plural(n, noun, noun+"s") }

// print writes data for standard output, which may be the terminal where the line
// of the progress stands.
func (c *cli) print(format string, args ...any) error {
	c.progress.stop()
	text := fmt.Sprintf(format, args...)
	if c.batch != nil && text != "" {
		text = c.batch.heading(c.section) + text
	}
	_, err := io.WriteString(c.stdout, harmless(text))
	return err
}

func (c *cli) printJSON(doc any) error {
	if c.batch != nil {
		c.batch.latest().document = doc
		return nil
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(doc); err != nil {
		return err
	}
	return c.print("%s", harmlessJSON(b.String()))
}

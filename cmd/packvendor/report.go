package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
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
	Error *problem.FailureJSON `json:"error,omitempty"`
}

type packJSON struct {
	Name string `json:"name"`
	*difference.LockedJSON
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
			Name: p.Name, LockedJSON: difference.NewLockedJSON(p.Pack),
			Changed: p.Pack != p.Before, Written: p.Written, Downloaded: p.Fetched, Refused: p.Refused,
		})
	}
	return doc
}

// reportRun says what a run did, and why it refused the rest, if it did. line, if not
// nil, returns what it prints of each pack, "" for nothing.
func (c *cli) reportRun(report *vendorer.Report, line func(vendorer.PackReport) string, refused error) error {
	c.say.Written(report)
	problems := c.explain(refused)
	doc := newRunJSON(report)
	doc.Error = c.newFailureJSON(problems)
	if !c.json {
		if err := c.print("%s", c.packLines(report, line)); err != nil {
			return err
		}
		if text := summaryOf(report).text(c.elapsed()); text != "" {
			c.say.Notice("%s%s", c.say.About, text)
		}
	}
	return c.end(outcome{problems: problems, document: doc})
}

// packLines are what a run prints of its packs.
func (c *cli) packLines(report *vendorer.Report, line func(vendorer.PackReport) string) string {
	if line == nil || c.quiet && !report.DryRun { // what a dry run finds out is data
		return ""
	}
	var b strings.Builder
	for _, p := range report.Packs {
		if text := line(p); text != "" {
			fmt.Fprintf(&b, "%s %s\n", p.Name, text)
		}
	}
	return b.String()
}

// print writes data for standard output, which may be the terminal where the line
// of the progress stands.
func (c *cli) print(format string, args ...any) error {
	c.progress.Stop()
	text := fmt.Sprintf(format, args...)
	if text == "" {
		return nil
	}
	if c.batch != nil {
		text = c.batch.heading(c.section) + text
	}
	_, err := io.WriteString(c.stdout, safe.Log(text))
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
	return c.print("%s", safe.JSON(b.String()))
}

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

// runJSON is the document of packvendor without a command, and of add, remove and update,
// with --json.
type runJSON struct {
	DryRun  bool       `json:"dry_run,omitempty"` // nothing was written
	Packs   []packJSON `json:"packs"`             // the packs that packs.lock has now, by name
	Dropped []string   `json:"dropped"`           // names of packs that are no longer vendored
	Written []string   `json:"written"`           // files that were written
	Deleted []string   `json:"deleted"`           // files that were deleted
	// Error is why packs were refused that update --keep-going has left as they are.
	Error *problem.FailureJSON `json:"error,omitempty"`
}

type packJSON struct {
	Name string `json:"name"` // of the pack in packs.toml
	*difference.LockedJSON
	Changed    bool `json:"changed"`    // its entry in packs.lock changed
	Written    bool `json:"written"`    // its vendored file was written
	Downloaded bool `json:"downloaded"` // from the registry, not from the cache
	// Source is where it was downloaded from, if not from the repository of its reference:
	// HOST/REPOSITORY of a mirror. Or it is the path of the bundle that it came from.
	Source  string `json:"source,omitempty"`
	Refused bool   `json:"refused,omitempty"` // it was to be updated, and was not
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
			Name: p.Name, LockedJSON: difference.NewLockedJSON(p.Entry),
			Changed: p.Entry != p.Before, Written: p.Written, Downloaded: p.Fetched, Source: p.Source, Refused: p.Refused,
		})
	}
	return doc
}

// reportRun reports a run, and the errors of the packs that it refused. line, if not
// nil, returns the text for a pack, "" for none.
func (c *cli) reportRun(report *vendorer.Report, line func(vendorer.PackReport) string, refused error) error {
	for _, p := range report.Packs {
		if p.Bundled {
			c.say.Detail("%s%s: from the bundle %s", c.say.About, p.Name, p.Source)
		}
	}
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

// lockedLine says how a pack's entry in packs.lock changed, if it did.
func lockedLine(p vendorer.PackReport) string {
	if p.Before == p.Entry {
		return ""
	}
	return difference.Movement(p.Before, p.Entry)
}

// packLines is the text about the packs of a run.
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

// A summary counts the changes of a run.
type summary struct {
	added, updated, restored, removed   int
	others, deleted                     []string // files that were written or deleted although what is locked is the same
	downloaded, bundled, cached, copied int64    // bytes of packs, from registries, bundles, the cache and files
}

func summaryOf(report *vendorer.Report) summary {
	s := summary{removed: len(report.Dropped)}
	for _, p := range report.Packs {
		switch {
		case p.Before.Name == "":
			s.added++
		case p.Before != p.Entry:
			s.updated++
		case p.Written:
			s.restored++
		}
		switch {
		case p.Written && p.Path != "":
			s.copied += p.Size
		case p.Written && p.Fetched:
			s.downloaded += p.Size
		case p.Written && p.Bundled:
			s.bundled += p.Size
		case p.Written:
			s.cached += p.Size
		}
	}
	if s.added+s.updated+s.removed == 0 {
		s.others = slices.DeleteFunc(slices.Clone(report.Written), isPack)
		s.deleted = slices.DeleteFunc(slices.Clone(report.Deleted), isPack)
	}
	if report.DryRun {
		return summary{}
	}
	return s
}

// isPack reports whether a written file is a pack, which is counted.
func isPack(name string) bool { return strings.HasSuffix(name, ".gtpack") }

// text says what a run changed; "" if nothing.
func (s summary) text(took time.Duration) string {
	var parts []string
	for _, part := range []struct {
		n    int
		verb string
	}{{s.added, "added"}, {s.updated, "updated"}, {s.restored, "restored"}, {s.removed, "removed"}} {
		switch {
		case part.n > 0 && len(parts) == 0:
			parts = append(parts, phrase.Count(part.n, "pack")+" "+part.verb)
		case part.n > 0:
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.verb))
		}
	}
	if len(s.others) > 0 {
		parts = append(parts, "wrote "+strings.Join(s.others, ", "))
	}
	if len(s.deleted) > 0 {
		parts = append(parts, "deleted "+strings.Join(s.deleted, ", "))
	}
	if len(parts) == 0 {
		return ""
	}
	text := strings.Join(parts, ", ")
	var amounts []string
	if s.downloaded > 0 {
		amounts = append(amounts, phrase.Bytes(s.downloaded)+" downloaded")
	}
	if s.bundled > 0 {
		amounts = append(amounts, phrase.Bytes(s.bundled)+" from bundles")
	}
	if s.cached > 0 {
		amounts = append(amounts, phrase.Bytes(s.cached)+" from the cache")
	}
	if s.copied > 0 {
		amounts = append(amounts, phrase.Bytes(s.copied)+" from files")
	}
	if len(amounts) > 0 {
		text += "; " + strings.Join(amounts, ", ")
	}
	return fmt.Sprintf("%s; %.1fs", text, took.Seconds())
}

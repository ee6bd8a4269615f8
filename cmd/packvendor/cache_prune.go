package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) cachePruneCommand() *cobra.Command {
	var po vendorer.PruneOptions
	var age ageFlag
	var size sizeFlag
	command := &cobra.Command{
		Use:   "prune",
		Short: "Remove unused entries from the shared cache",
		Long: `Remove whole entries from the shared cache: those unused for longer than
--older-than, then the least recently used until --max-size is left. --keep FILE
keeps every pack that this packs.lock lists. Entries that a process is using,
and files that are not the cache's, stay. Interrupted downloads go first.`,
		Example: "  packvendor cache prune --older-than 30d --max-size 2GB --keep packs.lock",
		Args:    c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if po.OlderThan, po.MaxSize = age.value, size.value; po.OlderThan == nil && po.MaxSize == nil {
				return misuse(command, "%s needs --older-than or --max-size", command.CommandPath())
			}
			pruning, err := vendorer.PruneCache(command.Context(), c.options(), po)
			if err != nil && len(pruning.Removed)+len(pruning.Skipped) == 0 {
				return err
			}
			return c.reportPruning(pruning, po.DryRun, err)
		},
	}
	c.cacheDirFlag(command)
	command.Flags().Var(&age, "older-than", "remove entries unused for `AGE`, such as 30d or 12h")
	command.Flags().Var(&size, "max-size", "leave no more than `SIZE`, such as 2GB")
	command.Flags().Var((*repeatable)(&po.Keep), "keep", "keep the packs of `FILE`, a packs.lock; repeatable")
	command.Flags().BoolVarP(&po.DryRun, "dry-run", "n", false, "print what would be removed, and remove nothing")
	noFiles(command, "older-than", "max-size")
	return command
}

// pruneJSON is the document of cache prune --json.
type pruneJSON struct {
	DryRun  bool          `json:"dry_run,omitempty"` // nothing was removed
	Removed []entryJSON   `json:"removed"`           // entries that are gone, or would be
	Skipped []skippedJSON `json:"skipped"`           // entries that were to be removed, and stay
	// Partials is how many interrupted downloads were removed.
	Partials int                  `json:"partials,omitempty"`
	Freed    int64                `json:"freed"`           // bytes
	Left     int64                `json:"left"`            // bytes of the entries that stay
	Error    *problem.FailureJSON `json:"error,omitempty"` // why entries could not be removed
}

type skippedJSON struct {
	entryJSON
	Reason string `json:"reason"` // why it stays
}

func (c *cli) reportPruning(p vendorer.CachePruning, dryRun bool, failed error) error {
	doc := pruneJSON{DryRun: dryRun, Removed: []entryJSON{}, Skipped: []skippedJSON{}, Partials: p.Partials, Freed: p.Freed, Left: p.Left}
	verb := "removed"
	if dryRun {
		verb = "would remove"
	}
	t := phrase.NewTable()
	for _, e := range p.Removed {
		doc.Removed = append(doc.Removed, newEntryJSON(e))
		t.Add(verb, phrase.Digest(e.Manifest), phrase.Bytes(e.Size), referenceText(e))
	}
	for _, s := range p.Skipped {
		reason := reasonOf(s.Err)
		doc.Skipped = append(doc.Skipped, skippedJSON{newEntryJSON(s.Entry), reason})
		c.say.Detail("%s stays: %s", s.Entry.Manifest, reason)
	}
	problems := c.explain(failed)
	doc.Error = c.newFailureJSON(problems)
	o := outcome{problems: problems, document: doc}
	if !c.quiet || dryRun { // what a dry run finds out is data
		o.before = t.String()
	}
	if err := c.end(o); err != nil || c.json {
		return err
	}
	c.say.Notice("%s", pruningText(verb, p))
	return nil
}

// pruningText sums up a removal, or for a dry run a possible one.
func pruningText(verb string, p vendorer.CachePruning) string {
	removed, skipped := len(p.Removed), len(p.Skipped)
	var what []string
	if removed > 0 {
		what = append(what, phrase.Plural(removed, "entry", "entries"))
	}
	if p.Partials > 0 {
		what = append(what, phrase.Count(p.Partials, "interrupted download"))
	}
	text := fmt.Sprintf("%s %s, %s", verb, strings.Join(what, " and "), phrase.Bytes(p.Freed))
	switch {
	case len(what) == 0 && skipped == 0:
		text = "nothing to remove"
	case len(what) == 0:
		text = verb + " nothing"
	}
	if skipped > 0 {
		text += fmt.Sprintf("; %s left alone", phrase.Plural(skipped, "entry", "entries"))
	}
	return text + fmt.Sprintf("; %s left", phrase.Bytes(p.Left))
}

// reasonOf is an error without the path that it is about.
func reasonOf(err error) string {
	var located *fs.PathError
	if errors.As(err, &located) {
		return located.Err.Error()
	}
	return err.Error()
}

// An ageFlag is a duration, which may also be in days or weeks.
type ageFlag struct {
	text  string
	value *time.Duration
}

func (f *ageFlag) String() string { return f.text }
func (f *ageFlag) Type() string   { return "duration" }

func (f *ageFlag) Set(s string) error {
	age, err := parseAge(s)
	if err != nil || age < 0 {
		return errors.New("write a duration such as 30d or 12h")
	}
	f.text, f.value = s, &age
	return nil
}

// parseAge reads a duration as Go writes it, or a number of days or weeks.
func parseAge(s string) (time.Duration, error) {
	for unit, hours := range map[string]time.Duration{"d": 24, "w": 7 * 24} {
		number, ok := strings.CutSuffix(s, unit)
		if !ok {
			continue
		}
		one, err := time.ParseDuration(number + "h")
		if err != nil || strings.Trim(number, "0123456789.") != "" || one > math.MaxInt64/hours {
			return 0, errors.New("no number of days or weeks")
		}
		return one * hours, nil
	}
	return time.ParseDuration(s)
}

// A sizeFlag is a number of bytes, with or without a unit.
type sizeFlag struct {
	text  string
	value *int64
}

func (f *sizeFlag) String() string { return f.text }
func (f *sizeFlag) Type() string   { return "size" }

func (f *sizeFlag) Set(s string) error {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > 1<<62 {
		return errors.New("write a size such as 2GB or 500MiB")
	}
	size := int64(n)
	f.text, f.value = s, &size
	return nil
}

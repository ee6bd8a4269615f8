package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) cacheCommand() *cobra.Command {
	return c.parentCommand(&cobra.Command{
		Use:     "cache COMMAND",
		Short:   "List, verify and prune the shared cache",
		Long:    "List, verify and prune the cache that packvendor shares with Greentic programs.",
		Example: "  packvendor cache list",
	}, c.cacheDirCommand(), c.cacheListCommand(), c.cacheVerifyCommand(), c.cachePruneCommand())
}

// cacheDirFlag is that of commands which look into the cache and fetch nothing.
func (c *cli) cacheDirFlag(command *cobra.Command) {
	command.Flags().StringVar(&c.cacheDir, "cache-dir", "", "use the shared pack cache in `DIR`")
	command.MarkFlagDirname("cache-dir")
}

func (c *cli) cacheDirCommand() *cobra.Command {
	command := &cobra.Command{
		Use:               "dir",
		Short:             "Print the root of the shared cache",
		Example:           "  packvendor cache dir",
		Args:              c.noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			dir := vendorer.CacheDir(c.options())
			return c.end(outcome{document: cacheDirJSON{Dir: dir}, before: dir + "\n"})
		},
	}
	c.cacheDirFlag(command)
	return command
}

// cacheDirJSON is the document of cache dir --json.
type cacheDirJSON struct {
	Dir string `json:"dir"`
}

func (c *cli) cacheListCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "List what the shared cache holds",
		Long: `List the entries of the shared cache: the digest of the manifest, the size of
all files, when the entry was last of use (to an hour), and the reference that
the entry was fetched by, as whoever fetched it says.`,
		Example:           "  packvendor cache list",
		Args:              c.noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			entries, foreign, err := vendorer.ListCache(c.options())
			return c.reportCache(entries, foreign, err)
		},
	}
	c.cacheDirFlag(command)
	return command
}

// cacheListJSON is the document of cache list --json.
type cacheListJSON struct {
	Entries []entryJSON          `json:"entries"`
	Foreign []string             `json:"foreign"` // names in the root that are no entries
	Size    int64                `json:"size"`    // of all entries
	Error   *problem.FailureJSON `json:"error,omitempty"`
}

type entryJSON struct {
	ManifestDigest string    `json:"manifest_digest"`
	Reference      string    `json:"reference,omitempty"`
	MediaType      string    `json:"media_type,omitempty"`
	PackSize       *int64    `json:"pack_size"` // null if there is no pack
	Size           int64     `json:"size"`
	Used           time.Time `json:"used"`
	Foreign        []string  `json:"foreign"` // names in it that are not the cache's
}

func newEntryJSON(e vendorer.CacheEntry) entryJSON {
	doc := entryJSON{
		ManifestDigest: string(e.Manifest), Reference: e.Reference, MediaType: e.MediaType, Size: e.Size,
		Used: e.Used.UTC().Truncate(time.Second), Foreign: append([]string{}, e.Foreign...),
	}
	if e.PackSize >= 0 {
		doc.PackSize = &e.PackSize
	}
	return doc
}

// reportCache lists what could be looked into.
func (c *cli) reportCache(entries []vendorer.CacheEntry, foreign []string, failed error) error {
	doc := cacheListJSON{Entries: []entryJSON{}, Foreign: append([]string{}, foreign...)}
	t := phrase.NewTable("MANIFEST", "SIZE", "USED", "REFERENCE")
	for _, e := range entries {
		doc.Size += e.Size
		doc.Entries = append(doc.Entries, newEntryJSON(e))
		t.Add(phrase.Digest(e.Manifest), phrase.Bytes(e.Size), e.Used.Local().Format(time.DateOnly), referenceText(e))
	}
	problems := c.explain(failed)
	doc.Error = c.newFailureJSON(problems)
	if err := c.end(outcome{problems: problems, document: doc, before: t.String()}); err != nil || c.json {
		return err
	}
	c.say.detail("%s, %s, in %s", phrase.Plural(len(entries), "entry", "entries"), phrase.Bytes(doc.Size), vendorer.CacheDir(c.options()))
	for _, name := range foreign {
		c.say.detail("%s is not an entry, and is left alone", name)
	}
	return nil
}

// referenceText is what an entry was fetched by, without the digest that is the
// entry's own: lines are long enough.
func referenceText(e vendorer.CacheEntry) string {
	return phrase.OrDash(strings.TrimSuffix(e.Reference, "@"+string(e.Manifest)))
}

func (c *cli) cacheVerifyCommand() *cobra.Command {
	var repair bool
	command := &cobra.Command{
		Use:   "verify",
		Short: "Hash every entry of the shared cache",
		Long: `Hash every entry of the shared cache: its manifest must be the one that it is
named after, and its pack one that the manifest lists. An entry that another
program left without its manifest cannot be proven, and is no error. Exit code 4
is an entry that is wrong; with --repair such entries are removed.`,
		Example:           "  packvendor cache verify --repair",
		Args:              c.noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(command *cobra.Command, _ []string) error {
			checks, err := vendorer.VerifyCache(command.Context(), c.options(), repair)
			if err != nil && len(checks) == 0 {
				return err
			}
			return c.reportCacheChecks(checks, repair, err)
		},
	}
	c.cacheDirFlag(command)
	c.jobsFlag(command)
	command.Flags().BoolVar(&repair, "repair", false, "remove entries that are wrong")
	return command
}

// cacheVerifyJSON is the document of cache verify --json.
type cacheVerifyJSON struct {
	Proven   int            `json:"proven"`
	Unproven []string       `json:"unproven"` // manifest digests of entries without a manifest
	Findings []problem.JSON `json:"findings"` // one for each entry that is wrong
	Removed  []string       `json:"removed"`  // manifest digests of those that are gone
}

func (c *cli) reportCacheChecks(checks []vendorer.CacheCheck, repaired bool, failed error) error {
	c.progress.Stop()
	doc := cacheVerifyJSON{Unproven: []string{}, Findings: []problem.JSON{}, Removed: []string{}}
	var wrong []error
	if failed != nil {
		wrong = append(wrong, failed)
	}
	for _, check := range checks {
		switch {
		case check.Err == nil:
			doc.Proven++
		case check.IsUnproven():
			doc.Unproven = append(doc.Unproven, string(check.Manifest))
			c.say.detail("%s has no manifest, so its pack cannot be proven", check.Manifest)
		case check.Removed:
			doc.Removed = append(doc.Removed, string(check.Manifest))
			c.tellUnlessJSON("the cache is corrupt, the entry is removed: %v", check.Err)
		default:
			wrong = append(wrong, check.Err)
		}
	}
	text := fmt.Sprintf("%s verified", phrase.Plural(doc.Proven, "entry", "entries"))
	if n := len(doc.Unproven); n > 0 {
		text += fmt.Sprintf(", %d cannot be proven", n)
	}
	if n := len(doc.Removed); n > 0 {
		text += fmt.Sprintf(", %d removed", n)
	}
	problems := c.explain(errors.Join(wrong...))
	c.hintRepair(problems, repaired)
	doc.Findings = c.problemsJSON(problems)
	o := outcome{problems: problems, document: doc}
	if !c.quiet {
		o.before = text + "\n"
	}
	return c.end(o)
}

// hintRepair gives corrupt entries the command that removes them as a hint, if that was
// not tried.
func (c *cli) hintRepair(problems []problem.Problem, repaired bool) {
	for i, p := range problems {
		if p.Kind == problem.Integrity {
			problems[i].Hint = hint.Hint{}
			if !repaired {
				problems[i].Hint = c.say.hints.Again("--repair")
			}
		}
	}
}

// tellUnlessJSON warns, unless what is warned of stands in the document.
func (c *cli) tellUnlessJSON(format string, args ...any) {
	if !c.json {
		c.say.warning(format, args...)
	}
}

func (c *cli) cachePruneCommand() *cobra.Command {
	var po vendorer.PruneOptions
	var age ageFlag
	var size sizeFlag
	command := &cobra.Command{
		Use:   "prune",
		Short: "Remove what was not of use lately from the shared cache",
		Long: `Remove whole entries from the shared cache, least recently used first: those not
of use for as long as --older-than says, and then as many as it takes until the
rest has no more bytes than --max-size. Packs that a packs.lock named by --keep
locks stay. Entries that a process is at work on, and what the cache does not
know, are left alone. What was kept of interrupted downloads goes first.`,
		Example:           "  packvendor cache prune --older-than 30d --max-size 2GB --keep packs.lock",
		Args:              c.noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
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
	command.Flags().Var(&age, "older-than", "remove what was not of use for `AGE`, such as 30d or 12h")
	command.Flags().Var(&size, "max-size", "leave no more than `SIZE`, such as 2GB")
	command.Flags().StringArrayVar(&po.Keep, "keep", nil, "leave what `FILE`, a packs.lock, locks; repeatable")
	command.Flags().BoolVarP(&po.DryRun, "dry-run", "n", false, "print what would be removed, and remove nothing")
	noFiles(command, "older-than", "max-size")
	return command
}

// pruneJSON is the document of cache prune --json.
type pruneJSON struct {
	DryRun  bool          `json:"dry_run,omitempty"`
	Removed []entryJSON   `json:"removed"`
	Skipped []skippedJSON `json:"skipped"`
	// Partials is how many interrupted downloads were removed.
	Partials int                  `json:"partials,omitempty"`
	Freed    int64                `json:"freed"` // bytes
	Left     int64                `json:"left"`  // bytes
	Error    *problem.FailureJSON `json:"error,omitempty"`
}

type skippedJSON struct {
	entryJSON
	Reason string `json:"reason"`
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
		c.say.detail("%s stays: %s", s.Entry.Manifest, reason)
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
	c.say.notice("%s", pruningText(verb, p))
	return nil
}

// pruningText sums up what was removed, or would be.
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

package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) cacheListCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "List what the shared cache holds",
		Long: `List the entries of the shared cache: the digest of the manifest, the size of
all files, when the entry was last used (to an hour), and the reference that was
recorded by the program that fetched it.`,
		Example: "  packvendor cache list",
		Args:    c.noArguments,
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
	Entries []entryJSON          `json:"entries"`         // by manifest digest
	Foreign []string             `json:"foreign"`         // names in the root that are no entries
	Size    int64                `json:"size"`            // of all entries in bytes
	Error   *problem.FailureJSON `json:"error,omitempty"` // why some entries could not be read
}

// reportCache lists the entries that could be read.
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
	c.say.Detail("%s, %s, in %s", phrase.Plural(len(entries), "entry", "entries"), phrase.Bytes(doc.Size), vendorer.CacheDir(c.options()))
	for _, name := range foreign {
		c.say.Detail("%s is not an entry, and is left alone", name)
	}
	return nil
}

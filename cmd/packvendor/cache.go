package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
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

func (c *cli) cacheDirCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "dir",
		Short:   "Print the root of the shared cache",
		Example: "  packvendor cache dir",
		Args:    c.noArguments,
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
	Dir string `json:"dir"` // the root of the shared cache
}

// entryJSON is an entry of the cache.
type entryJSON struct {
	ManifestDigest string    `json:"manifest_digest"`      // the name of the entry
	Reference      string    `json:"reference,omitempty"`  // recorded by the program that fetched it
	MediaType      string    `json:"media_type,omitempty"` // of the layer
	PackSize       *int64    `json:"pack_size"`            // in bytes; null if there is no pack
	Size           int64     `json:"size"`                 // of all its files in bytes
	Used           time.Time `json:"used"`                 // when it was last used, to an hour
	Foreign        []string  `json:"foreign"`              // names of files in it that are not the cache's
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

// referenceText is the reference that an entry was fetched by, without the digest, which
// is the entry's own: lines are long enough.
func referenceText(e vendorer.CacheEntry) string {
	return phrase.OrDash(strings.TrimSuffix(e.Reference, "@"+string(e.Manifest)))
}

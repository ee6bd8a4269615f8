package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) fetchCommand() *cobra.Command {
	var fo vendorer.FetchOptions
	var output string
	command := &cobra.Command{
		Use:   "fetch REF",
		Short: "Fetch a pack into the shared cache, and print its path",
		Long: `Fetch a pack into the shared cache, and print its path. No packs.toml is needed.

With -o it copies the verified bytes to FILE, and prints the path of FILE
instead. It replaces FILE if it exists. With "-o -" the bytes go to standard
output.`,
		Example: `  packvendor fetch --allow-tags ghcr.io/greenticai/greentic-packs/slack:0.4.38
  packvendor fetch --allow-tags -o telco-x.gtpack ghcr.io/greenticai/telco-x:1.0`,
		Args: arguments(1, 1, "one reference"),
		RunE: func(command *cobra.Command, args []string) error {
			if output == "" && command.Flags().Changed("output") {
				return usagef("-o names no file")
			}
			if output == "-" {
				return c.fetchToStdout(command.Context(), fo, args[0])
			}
			result, err := c.fetch(command.Context(), fo, args[0], output)
			if err != nil {
				return err
			}
			return c.end(outcome{document: newFetchJSON(result, output), before: result.Path + "\n"})
		},
	}
	c.fetchFlags(command)
	c.fromFlag(command)
	c.referenceFlags(command, &fo)
	command.Flags().StringVarP(&output, "output", "o", "", "copy the pack to `FILE`; - is standard output")
	return command
}

func (c *cli) fetchToStdout(ctx context.Context, fo vendorer.FetchOptions, reference string) error {
	if c.json {
		return usagef("-o - and --json both want standard output")
	}
	defer c.progress.Stop()
	return vendorer.FetchTo(ctx, c.options(), fo, reference, c.stdout)
}

// fetch fetches to the cache or, if output is not "", to that file.
func (c *cli) fetch(ctx context.Context, fo vendorer.FetchOptions, reference, output string) (packfetch.Result, error) {
	if output == "" {
		return vendorer.Fetch(ctx, c.options(), fo, reference)
	}
	return vendorer.FetchFile(ctx, c.options(), fo, reference, output)
}

// referenceFlags adds the flags of commands that take a reference without a packs.toml.
func (c *cli) referenceFlags(command *cobra.Command, fo *vendorer.FetchOptions) {
	command.Flags().BoolVar(&fo.AllowTags, "allow-tags", false, "accept a reference without a digest")
	c.insecureFlag(command, &fo.InsecureRegistries)
}

// fetchJSON is the document of fetch --json, field for field that of
// greentic-dist pack --json; but with -o the file stands in output.
type fetchJSON struct {
	Reference string `json:"reference"`            // as it was given
	Digest    string `json:"digest"`               // of the manifest or image index that the reference leads to
	MediaType string `json:"media_type"`           // of the layer
	CachePath string `json:"cache_path,omitempty"` // of the pack in the shared cache; absent with -o
	Output    string `json:"output,omitempty"`     // the file of -o
	Fetched   bool   `json:"fetched"`              // from the registry, not from the cache
	// Source is where it was fetched from, if not from the repository of the reference:
	// HOST/REPOSITORY of a mirror, or the path of a bundle.
	Source string `json:"source,omitempty"`
}

func newFetchJSON(r packfetch.Result, output string) fetchJSON {
	doc := fetchJSON{Reference: r.OriginalReference, Digest: r.ResolvedDigest, MediaType: r.MediaType, Output: output, Fetched: r.FetchedFromNetwork, Source: r.Source}
	if output == "" {
		doc.CachePath = r.Path
	}
	return doc
}

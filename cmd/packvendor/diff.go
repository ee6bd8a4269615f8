package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) diffCommand() *cobra.Command {
	var markdown bool
	var insecure []string
	command := &cobra.Command{
		Use:   "diff [REV | REF REF]",
		Short: "Show what changed since a git revision, or between two packs",
		Long: `Show how the packs changed since a git revision, by default HEAD: versions,
digests and sizes. If the repository, the project or the cache has the bytes, it
also shows the files inside the packs. It uses no network. First come the packs
that lost their signer or have another one, and what [trust] no longer asks for.

With two references, show how the second pack differs from the first. It fetches
both through the cache, and needs no packs.toml.

The exit code is 1 if something changed.`,
		Example: `  packvendor diff
  packvendor diff --markdown origin/main
  packvendor diff ghcr.io/greenticai/telco-x:1.0 ghcr.io/greenticai/telco-x:1.1`,
		Args: arguments(0, 2, "at most one revision, or two references"),
		RunE: func(command *cobra.Command, args []string) error {
			if markdown && c.json {
				return usagef("--markdown and --json exclude each other")
			}
			if markdown {
				c.section = difference.MarkdownSection
			}
			if len(args) == 2 {
				return c.diffReferences(command, insecure, args, markdown)
			}
			revision := "HEAD"
			if len(args) == 1 {
				revision = args[0]
			}
			return c.eachProject(func(o vendorer.Options) error {
				d, err := vendorer.Diff(command.Context(), o, revision)
				if err != nil {
					return err
				}
				return c.reportDiff(d, markdown)
			})
		},
	}
	c.projectsFlags(command)
	c.insecureFlag(command, &insecure)
	command.Flags().BoolVar(&markdown, "markdown", false, "print a table for the body of a pull request")
	return command
}

// diffReferences shows the changes from one reference to another.
func (c *cli) diffReferences(command *cobra.Command, insecure, references []string, markdown bool) error {
	o, err := c.oneProject(command)
	if err != nil {
		return err
	}
	o.Fetch.InsecureRegistries = insecure
	d, err := vendorer.DiffReferences(command.Context(), o, references[0], references[1])
	if err != nil {
		return err
	}
	return c.reportDiff(d, markdown)
}

func (c *cli) reportDiff(d *vendorer.Difference, markdown bool) error {
	render := difference.Text
	if markdown {
		render = difference.Markdown
	}
	kind := problem.None
	if len(d.Packs)+len(d.Trust) > 0 {
		kind = problem.Drift
	}
	return c.end(outcome{kind: kind, document: difference.NewJSON(d), before: render(d)})
}

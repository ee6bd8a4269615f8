package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) mergeDriverCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "merge-driver BASE OURS THEIRS PATH",
		Short: "Merge versions of packs.lock by pack, for git",
		Long: `Merge three versions of packs.lock by the names of their packs. Git runs this
command if the repository is set up for it. "packvendor init --git" writes the
line of .gitattributes, and prints the command for the configuration of git:
each clone needs that once.

The result replaces OURS. PATH is the name of packs.lock in messages. A pack
that one side added, updated or removed is so in the result. Only a pack that
both sides changed, each in its own way, is a conflict: both blocks stand
between git's markers, and the exit code is 1.

If a version of packs.lock cannot be read, as one by a newer packvendor, git
merges the files as text. The exit code is then 2, so that git asks you to look
at the file. The packs, their evidence and the Go file are not merged here: the
next run of packvendor writes them.`,
		Example: "  packvendor merge-driver %O %A %B %P    # as the driver in git's configuration",
		Args:    arguments(4, 4, "BASE OURS THEIRS PATH"),
		RunE: func(command *cobra.Command, args []string) error {
			m := vendorer.LockMerge{Base: args[0], Ours: args[1], Theirs: args[2], Path: args[3]}
			packs, err := vendorer.MergeLock(command.Context(), m)
			if err != nil {
				return err
			}
			if err := c.end(outcome{document: mergeDriverJSON{Path: m.Path, Packs: packs}}); err != nil {
				return err
			}
			c.say.Detail("merged %s: %s", safe.Line(m.Path), phrase.Count(packs, "pack"))
			return nil
		},
	}
	command.Flags().SetInterspersed(false) // PATH may begin with a hyphen
	return command
}

// mergeDriverJSON is the document of merge-driver --json.
type mergeDriverJSON struct {
	Path  string `json:"path"`  // of packs.lock, as git gives it
	Packs int    `json:"packs"` // in the merged packs.lock
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) removeCommand() *cobra.Command {
	var ro vendorer.RemoveOptions
	command := &cobra.Command{
		Use:     "remove NAME...",
		Aliases: []string{"rm"},
		Short:   "Take packs out of packs.toml, and vendor",
		Long: `Take packs out of packs.toml, packs.lock and the Go package. Comments in
packs.toml stay, except a comment at the end of a pack's own line.`,
		Example:           "  packvendor remove messaging-slack",
		Args:              arguments(1, -1, "NAME..."),
		ValidArgsFunction: c.completePacks(0),
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			ro.Names = args
			report, err := vendorer.Remove(command.Context(), o, ro)
			if err != nil {
				return err
			}
			if report.DryRun && !c.json {
				for _, name := range report.Dropped {
					if err := c.print("would remove %s\n", name); err != nil {
						return err
					}
				}
			}
			return c.reportRun(report, nil, nil)
		},
	}
	c.projectFlags(command)
	command.Flags().BoolVarP(&ro.DryRun, "dry-run", "n", false, "print what would be removed, and write nothing")
	return command
}

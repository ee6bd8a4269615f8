package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) removeCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "remove NAME...",
		Aliases: []string{"rm"},
		Short:   "Take packs out of packs.toml, and vendor",
		Long: `Take packs out of packs.toml, packs.lock and the Go package. Comments of
packs.toml stay, but for one at the end of a pack's own line.`,
		Example:           "  packvendor remove messaging-slack",
		Args:              arguments(1, -1, "NAME..."),
		ValidArgsFunction: c.completePacks(0),
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			report, err := vendorer.Remove(command.Context(), o, args)
			if err != nil {
				return err
			}
			return c.reportRun(report, nil)
		},
	}
	c.projectFlags(command)
	return command
}

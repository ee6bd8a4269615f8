package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) updateCommand() *cobra.Command {
	var u vendorer.UpdateOptions
	command := &cobra.Command{
		Use:   "update [NAME...] [NAME@TAG...]",
		Short: "Follow the tags of packs, and vendor",
		Long: `Follow the tags of the named packs, or of all, and vendor.

A pinned version moves to the newest one of the same major number (below 1.0: of
the same minor number), a range to its newest version, another tag to the digest
that it has now. A digest alone stays. "packvendor help references" has the
forms. NAME@TAG gives a pack that tag.

If a version tag names other bytes than packs.lock has under it, somebody pushed
it again. Then nothing is updated, and the exit code is 4. The hints show what
changed, and accept it with --accept-retag. With --keep-going the other packs
are updated; the exit code is 4 all the same.`,
		Example: `  packvendor update state-redis
  packvendor update messaging-slack@0.4.38
  packvendor update --latest --dry-run`,
		ValidArgsFunction: c.completePacks(0),
		RunE: func(command *cobra.Command, args []string) error {
			for _, arg := range args {
				target, err := vendorer.ParseTarget(arg)
				if err != nil {
					return misuse(command, "%w", err)
				}
				u.Targets = append(u.Targets, target)
			}
			work := func(o vendorer.Options) error {
				report, err := vendorer.Update(command.Context(), o, u)
				if report == nil {
					return err
				}
				return c.reportRun(report, updatedLine(u.Targets), err)
			}
			if len(u.Targets) == 0 {
				return c.eachProject(work)
			}
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			return work(o)
		},
	}
	c.projectsFlags(command)
	command.Flags().BoolVar(&u.Latest, "latest", false, "take newer versions with another major number, too")
	command.Flags().BoolVar(&u.AcceptRetag, "accept-retag", false, "accept version tags pushed again with other bytes")
	command.Flags().BoolVar(&u.KeepGoing, "keep-going", false, "update the others where such tags are refused")
	command.Flags().BoolVarP(&u.DryRun, "dry-run", "n", false, "print what would be updated, and write nothing")
	return command
}

// updatedLine says how a pack moved, if it was to be updated.
func updatedLine(targets []vendorer.Target) func(vendorer.PackReport) string {
	named := map[string]bool{}
	for _, target := range targets {
		named[target.Name] = true
	}
	return func(p vendorer.PackReport) string {
		if len(named) > 0 && !named[p.Name] {
			return ""
		}
		if p.Refused {
			return "refused"
		}
		return difference.Movement(p.Before, p.Entry)
	}
}

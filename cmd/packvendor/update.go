package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) updateCommand() *cobra.Command {
	var u vendorer.UpdateOptions
	accepts := map[vendorer.Continuity]*repeatable{}
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
are updated; the exit code is 4 all the same.

A signed pack goes on as it was locked: signed by a signer that its rule lists
beside the former one, with the same pack ID inside, and with no lower version.
Otherwise the exit code is 4, too. The --accept flags accept that for one pack;
they lift no rule.`,
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
			u.Accept = map[vendorer.Continuity][]string{}
			isAccepting := false
			for kind, names := range accepts {
				u.Accept[kind] = *names
				isAccepting = isAccepting || len(*names) > 0
			}
			work := func(o vendorer.Options) error {
				report, err := vendorer.Update(command.Context(), o, u)
				if report == nil {
					return err
				}
				return c.reportRun(report, updatedLine(u.Targets), err)
			}
			if len(u.Targets) == 0 && !isAccepting {
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
	command.Flags().BoolVar(&u.Latest, "latest", false, "take newer versions of other major numbers, too")
	command.Flags().BoolVar(&u.AcceptRetag, "accept-retag", false, "accept version tags pushed again with other bytes")
	for _, accept := range []struct {
		kind  vendorer.Continuity
		usage string
	}{
		{vendorer.SameSigner, "accept another signer of `NAME`; repeatable"},
		{vendorer.StaysSigned, "accept that `NAME` is unsigned; repeatable"},
		{vendorer.SamePackID, "accept another pack ID in `NAME`; repeatable"},
		{vendorer.NoOlder, "accept another version in `NAME`; repeatable"},
	} {
		accepts[accept.kind] = new(repeatable)
		command.Flags().Var(accepts[accept.kind], string("accept-"+accept.kind), accept.usage)
		command.RegisterFlagCompletionFunc(string("accept-"+accept.kind), c.completePacks(1))
	}
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

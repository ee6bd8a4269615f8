package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) addCommand() *cobra.Command {
	var ao vendorer.AddOptions
	var form vendorer.Addition
	command := &cobra.Command{
		Use:   "add [NAME] REF|./FILE...",
		Short: "Pin references in packs.toml, and vendor",
		Long: `Pin references in packs.toml, and vendor.

It writes REF as repository:tag@digest, with the digest that the tag names now.
If REF has neither tag nor digest, it takes the newest version in the
repository. With --version it writes a range instead, and with --allow-tags the
tag alone. Then only packs.lock has the digest, and "packvendor update" moves
it. REF may also be repository@tag, or NAME@TAG for a pack of packs.toml.

NAME defaults to the last part of the repository. If packs.toml has a pack of
that name, the pack keeps its go_name, its layer and its form: a range stays a
range, and an allowed tag stays a tag, unless REF or a flag says otherwise. To
replace a pack by one from another repository, give its NAME.

./FILE, ../FILE or an absolute path is a file that is the pack. packs.toml gets
its path. A pack that is there already keeps its reference beside the path, and
the file counts: this is for a pack that you work on. "packvendor add NAME REF"
goes back to the reference.`,
		Example: `  packvendor add ghcr.io/greenticai/greentic-packs/messaging-slack
  packvendor add slack ghcr.io/greenticai/greentic-packs/messaging-slack@0.4.38
  packvendor add --version ^0.4 ghcr.io/greenticai/greentic-packs/state-redis
  packvendor add slack ../slack/dist/slack.gtpack`,
		Args:              arguments(1, -1, "[NAME] REF|./FILE..."),
		ValidArgsFunction: c.completePackAndFiles,
		RunE: func(command *cobra.Command, args []string) error {
			if command.Flags().Changed("allow-tags") && !form.AllowTags && form.Version == "" {
				form.Pin = true
			}
			var err error
			if ao.Packs, err = additionsOf(command, args, form); err != nil {
				return err
			}
			if form.Version == "" && command.Flags().Changed("version") {
				return usagef("--version is empty: write a range such as ^0.4")
			}
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			report, err := vendorer.Add(command.Context(), o, ao)
			if err != nil {
				return err
			}
			return c.reportRun(report, addedLine, nil)
		},
	}
	c.projectFlags(command)
	command.Flags().StringVar(&form.Version, "version", "", "follow the newest version in `RANGE`, such as ^0.4")
	command.Flags().BoolVar(&form.AllowTags, "allow-tags", false, "write the tag without a digest")
	command.Flags().BoolVar(&form.Pin, "pin", false, "write tag and digest, whatever form the pack has")
	command.Flags().BoolVarP(&ao.DryRun, "dry-run", "n", false, "print what would be added, and write nothing")
	noFiles(command, "version")
	return command
}

// additionsOf reads [NAME] REF... as additions of that form: a name has neither
// slash nor tag, a reference has one of them.
func additionsOf(command *cobra.Command, args []string, form vendorer.Addition) ([]vendorer.Addition, error) {
	if len(args) > 1 && !strings.ContainsAny(args[0], "/@") && !isFileArgument(args[0]) {
		form.Name, args = args[0], args[1:]
	}
	if form.Name != "" && len(args) > 1 {
		return nil, misuse(command, "%+q names one pack, and here are %d references", form.Name, len(args))
	}
	var additions []vendorer.Addition
	for _, reference := range args {
		addition := form
		if isFileArgument(reference) {
			addition.Path = reference
		} else {
			addition.Reference = reference
		}
		additions = append(additions, addition)
	}
	return additions, nil
}

// isFileArgument tells a file from a reference by its form.
func isFileArgument(argument string) bool {
	slashed := filepath.ToSlash(argument)
	return strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") || filepath.IsAbs(argument)
}

// completePackAndFiles completes names of packs, then files.
func (c *cli) completePackAndFiles(command *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if isFileArgument(toComplete) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return c.completePacks(1)(command, args, toComplete)
}

// addedLine returns the reference or path that now stands in packs.toml, and for a range the
// version that it led to.
func addedLine(p vendorer.PackReport) string {
	switch {
	case p.Action != vendorer.Resolve:
		return ""
	case p.Path != "":
		return p.Path
	case p.Version != "":
		return p.Ref + " " + p.Version + ", now " + p.Tag
	}
	return p.Ref
}

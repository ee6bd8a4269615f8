package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) addCommand() *cobra.Command {
	var version string
	var allowTags bool
	command := &cobra.Command{
		Use:   "add [NAME] REF...",
		Short: "Pin references in packs.toml, and vendor",
		Long: `Pin references in packs.toml, and vendor.

REF is written as repository:tag@digest, with the digest that its tag names now.
Without tag and digest, the tag is the newest version in the repository. With
--version a range is written instead, and with --allow-tags the tag alone: then
packs.lock has the digest, and "packvendor update" moves it.

NAME defaults to the last part of the repository. A pack of that name is
replaced, but keeps its go_name and layer.`,
		Example: `  packvendor add ghcr.io/greenticai/greentic-packs/messaging-slack
  packvendor add slack ghcr.io/greenticai/greentic-packs/messaging-slack:0.4.38
  packvendor add --version ^0.4 ghcr.io/greenticai/greentic-packs/state-redis`,
		Args:              arguments(1, -1, "[NAME] REF..."),
		ValidArgsFunction: c.completePacks(1),
		RunE: func(command *cobra.Command, args []string) error {
			additions, err := additionsOf(command, args)
			if err != nil {
				return err
			}
			if version == "" && command.Flags().Changed("version") {
				return usagef("--version is empty: write a range such as ^0.4")
			}
			for i := range additions {
				additions[i].Version, additions[i].AllowTags = version, allowTags
			}
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			report, err := vendorer.Add(command.Context(), o, additions)
			if err != nil {
				return err
			}
			return c.reportRun(report, addedLine)
		},
	}
	c.projectFlags(command)
	command.Flags().StringVar(&version, "version", "", "follow the newest version in `RANGE`, such as ^0.4")
	command.Flags().BoolVar(&allowTags, "allow-tags", false, "write the tag without a digest")
	noFiles(command, "version")
	return command
}

// additionsOf reads [NAME] REF...: a name has no slash, a reference always does.
func additionsOf(command *cobra.Command, args []string) ([]vendorer.Addition, error) {
	if !strings.Contains(args[0], "/") && len(args) == 2 {
		return []vendorer.Addition{{Name: args[0], Reference: args[1]}}, nil
	}
	if !strings.Contains(args[0], "/") && len(args) > 2 {
		return nil, &usageError{command: command, err: fmt.Errorf("%+q names one pack, and here are %d references", args[0], len(args)-1)}
	}
	var additions []vendorer.Addition
	for _, reference := range args {
		additions = append(additions, vendorer.Addition{Reference: reference})
	}
	return additions, nil
}

// addedLine is what now stands in packs.toml.
func addedLine(p vendorer.PackReport) string {
	if p.Action != vendorer.Resolve {
		return ""
	}
	return strings.TrimSpace(p.Ref + " " + p.Version)
}

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) versionsCommand() *cobra.Command {
	var fo vendorer.FetchOptions
	var all bool
	command := &cobra.Command{
		Use:   "versions NAME|REF",
		Short: "List the versions in a repository",
		Long: `List the versions in a repository, newest first. "add", "update" and ranges
choose among these tags. NAME is a pack of packs.toml. REF is any repository;
its tag or digest does not matter.`,
		Example: `  packvendor versions messaging-slack
  packvendor versions --all ghcr.io/greenticai/greentic-packs/state-redis`,
		Args:              arguments(1, 1, "one NAME or REF"),
		ValidArgsFunction: c.completePacks(1),
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			list, err := vendorer.Tags(command.Context(), o, fo, args[0])
			if err != nil {
				return err
			}
			return c.reportTags(list, all)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.offlineFlag(command)
	c.insecureFlag(command, &fo.InsecureRegistries)
	command.Flags().BoolVarP(&all, "all", "a", false, "list the other tags, too, after the versions")
	return command
}

// versionsJSON is the document of versions --json.
type versionsJSON struct {
	Repository string   `json:"repository"` // host and path
	Versions   []string `json:"versions"`   // tags that are versions, newest first
	Tags       []string `json:"tags"`       // the other tags, as the registry lists them
}

func (c *cli) reportTags(list *vendorer.TagList, all bool) error {
	doc := versionsJSON{list.Repository, append([]string{}, list.Versions...), append([]string{}, list.Others...)}
	tags := list.Versions
	if all {
		tags = append(tags, list.Others...)
	}
	err := c.end(outcome{document: doc, before: strings.Join(append(tags, ""), "\n")})
	switch {
	case err != nil || c.json:
		return err
	case len(list.Versions)+len(list.Others) == 0:
		c.say.Notice("%s has no tag", list.Repository)
	case len(tags) == 0:
		c.say.Notice("%s has no version tag; --all lists what it has: %s", list.Repository, phrase.Count(len(list.Others), "other tag"))
	}
	return nil
}

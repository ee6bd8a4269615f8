package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) initCommand() *cobra.Command {
	var io vendorer.InitOptions
	command := &cobra.Command{
		Use:   "init",
		Short: "Set up packs.toml, a go:generate line and .gitattributes",
		Long: `Set up a project: packs.toml, a Go file that has go generate run packvendor, and
lines in the module's .gitattributes that keep diffs readable. What is there is
never replaced.

At the root of a module the packs go into a small package of their own,
internal/packs, unless --dir says otherwise; elsewhere into the package beside
packs.toml.`,
		Example:           "  packvendor init",
		Args:              c.noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			report, err := vendorer.Init(c.options(), io)
			if err != nil {
				return err
			}
			return c.reportInit(report)
		},
	}
	c.fileFlag(command)
	command.Flags().StringVar(&io.Package, "package", "", "name of the Go package")
	command.Flags().StringVar(&io.Dir, "dir", "", "directory of the Go package, relative to packs.toml")
	return command
}

// initJSON is the document of init --json.
type initJSON struct {
	Written []string `json:"written"`
	Kept    []string `json:"kept"`
}

func (c *cli) reportInit(report *vendorer.InitReport) error {
	if report.NoTool {
		c.say.hint("go get -tool github.com/greenticai/packvendor/cmd/packvendor@latest")
	}
	if c.json {
		return c.printJSON(initJSON{Written: append([]string{}, report.Written...), Kept: append([]string{}, report.Kept...)})
	}
	for _, name := range report.Kept {
		c.say.detail("kept %s", name)
	}
	for _, name := range report.Written {
		if c.quiet {
			break
		}
		if err := c.print("wrote %s\n", escaped(name)); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) initCommand() *cobra.Command {
	var options vendorer.InitOptions
	command := &cobra.Command{
		Use:   "init",
		Short: "Set up packs.toml, a go:generate line, .gitattributes and CI",
		Long: `Set up a project: packs.toml, a Go file with a go:generate line that runs
packvendor, and lines in the module's .gitattributes that keep diffs readable.
It never replaces a file.

At the root of a module the packs get a small package of their own,
internal/packs. Elsewhere they belong to the package beside packs.toml. --dir
names another directory.

With --ci github or --ci gitlab the repository gets two jobs as well. One
verifies the packs of every pull or merge request. The other updates them once a
week and opens such a request. With --ci renovate it gets the workflow, for
GitHub, that updates packs.lock and the packs after Renovate changed packs.toml.
The files are at the top of the git repository, or of the module if there is
none:

  github    .github/workflows/packvendor.yml and packvendor-update.yml
  gitlab    .gitlab/packvendor.yml, and .gitlab-ci.yml, which includes it
  renovate  .github/workflows/packvendor-lock.yml

With --git a line of .gitattributes names packvendor as the merge driver of
packs.lock, and the hint has the command that tells git how to run it. Run the
hint in each clone: that part of git's configuration is in no commit. Without it
git merges packs.lock as text. "packvendor help merge-driver" has more.`,
		Example: `  packvendor init
  packvendor init --ci github
  packvendor init --git
  packvendor init --dir=assets/my-packs --package=packs`,
		Args: c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("ci") && options.CI == "" {
				return misuse(command, "--ci names no system")
			}
			o, err := c.newProject(command)
			if err != nil {
				return err
			}
			report, err := vendorer.Init(command.Context(), o, options)
			if err != nil {
				return err
			}
			return c.reportInit(report, options.Git)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	command.Flags().StringVar(&options.Package, "package", "", "`NAME` of the Go package")
	command.Flags().StringVar(&options.Dir, "dir", "", "`DIR` of the Go package, relative to packs.toml")
	command.Flags().StringVar(&options.CI, "ci", "", "write jobs for the CI `SYSTEM`: github, gitlab or renovate")
	command.Flags().BoolVar(&options.Git, "git", false, "make packvendor the merge driver of packs.lock")
	noFiles(command, "package")
	command.MarkFlagDirname("dir")
	command.RegisterFlagCompletionFunc("ci", cobra.FixedCompletions(vendorer.CISystems(), cobra.ShellCompDirectiveNoFileComp))
	return command
}

// initJSON is the document of init --json.
type initJSON struct {
	Written []string `json:"written"` // files that were written
	Kept    []string `json:"kept"`    // files that are there already, and were not changed
	// Elsewhere are kept files whose jobs may work on other packs.
	Elsewhere []string `json:"elsewhere,omitempty"`
	Include   string   `json:"include,omitempty"` // the file that .gitlab-ci.yml must include
	Merge     string   `json:"merge,omitempty"`   // with --git: the attribute for merges of packs.lock that was there already, and is kept
	Hint      string   `json:"hint,omitempty"`    // the next command
	Driver    string   `json:"driver,omitempty"`  // with --git: the command that tells git how to run the merge driver
}

func (c *cli) reportInit(report *vendorer.InitReport, git bool) error {
	doc := initJSON{Written: append([]string{}, report.Written...), Kept: append([]string{}, report.Kept...), Elsewhere: report.Elsewhere, Include: report.NotIncluded, Merge: report.Merge}
	newest := problem.GetNewestIn(report.ModuleDir)
	if report.NoTool {
		doc.Hint = c.say.Hints.Text(newest)
	}
	driver := c.say.Hints.MergeDriver(report.DriverDir)
	if git && report.Merge == "" && !report.NoRepository {
		doc.Driver = c.say.Hints.Text(driver)
	}
	o := outcome{document: doc}
	if !c.quiet {
		for _, name := range report.Written {
			o.before += "wrote " + printable.Text(name) + "\n"
		}
	}
	if err := c.end(o); err != nil || c.json || c.quiet {
		return err
	}
	for _, name := range report.Kept {
		if slices.Contains(report.Elsewhere, name) {
			c.say.Warning("%s is there already, and is kept: its jobs do not run in the folder of this module", name)
		} else {
			c.say.Notice("%s is there already, and is kept", name)
		}
	}
	if doc.Include != "" {
		c.say.Notice(".gitlab-ci.yml does not include %s: add it under include", doc.Include)
	}
	if git && report.NoRepository {
		c.say.Notice("this is in no git repository: in one, init --git prints the command that sets up the merge driver")
	}
	if doc.Merge != "" {
		c.say.Notice(".gitattributes has %s for packs.lock, and keeps it: packvendor is not its merge driver", doc.Merge)
	}
	if doc.Hint != "" {
		c.say.Hint(newest)
	}
	if doc.Driver != "" {
		c.say.Hint(driver)
	}
	return nil
}

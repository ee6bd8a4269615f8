package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) cacheVerifyCommand() *cobra.Command {
	var repair bool
	command := &cobra.Command{
		Use:   "verify",
		Short: "Hash every entry of the shared cache",
		Long: `Hash every entry of the shared cache. The folder of an entry must have the
digest of its manifest as its name, and the manifest must list the pack. An
entry that another program left without a manifest cannot be proven, and is no
error. The exit code is 4 if an entry is wrong; --repair removes such entries.`,
		Example: "  packvendor cache verify --repair",
		Args:    c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			checks, err := vendorer.VerifyCache(command.Context(), c.options(), repair)
			if err != nil && len(checks) == 0 {
				return err
			}
			return c.reportCacheChecks(checks, repair, err)
		},
	}
	c.cacheDirFlag(command)
	c.jobsFlag(command)
	command.Flags().BoolVar(&repair, "repair", false, "remove entries that are wrong")
	return command
}

// cacheVerifyJSON is the document of cache verify --json.
type cacheVerifyJSON struct {
	Proven   int            `json:"proven"`   // how many entries are right
	Unproven []string       `json:"unproven"` // manifest digests of entries without a manifest
	Findings []problem.JSON `json:"findings"` // one for each entry that is wrong
	Removed  []string       `json:"removed"`  // manifest digests of wrong entries that were removed
}

func (c *cli) reportCacheChecks(checks []vendorer.CacheCheck, repaired bool, failed error) error {
	c.progress.Stop()
	doc := cacheVerifyJSON{Unproven: []string{}, Findings: []problem.JSON{}, Removed: []string{}}
	var wrong []error
	if failed != nil {
		wrong = append(wrong, failed)
	}
	for _, check := range checks {
		switch {
		case check.Err == nil:
			doc.Proven++
		case check.IsUnproven():
			doc.Unproven = append(doc.Unproven, string(check.Manifest))
			c.say.Detail("%s has no manifest, so its pack cannot be proven", check.Manifest)
		case check.Removed:
			doc.Removed = append(doc.Removed, string(check.Manifest))
			if !c.json {
				c.say.Warning("the cache is corrupt, the entry is removed: %v", check.Err)
			}
		default:
			wrong = append(wrong, check.Err)
		}
	}
	text := fmt.Sprintf("%s verified", phrase.Plural(doc.Proven, "entry", "entries"))
	if n := len(doc.Unproven); n > 0 {
		text += fmt.Sprintf(", %d cannot be proven", n)
	}
	if n := len(doc.Removed); n > 0 {
		text += fmt.Sprintf(", %d removed", n)
	}
	problems := c.explain(errors.Join(wrong...))
	c.hintRepair(problems, repaired)
	doc.Findings = c.problemsJSON(problems)
	o := outcome{problems: problems, document: doc}
	if !c.quiet {
		o.before = text + "\n"
	}
	return c.end(o)
}

// hintRepair gives corrupt entries the command that removes them as a hint, if that was
// not tried.
func (c *cli) hintRepair(problems []problem.Problem, repaired bool) {
	for i, p := range problems {
		if p.Kind == problem.Integrity {
			problems[i].Hint = hint.Hint{}
			if !repaired {
				problems[i].Hint = c.say.Hints.Again("--repair")
			}
		}
	}
}

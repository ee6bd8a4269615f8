package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) verifyCommand() *cobra.Command {
	var remote bool
	var program string
	var vo vendorer.VerifyProgramOptions
	command := &cobra.Command{
		Use:   "verify",
		Short: "Check that everything agrees, and write nothing",
		Long: `Check that packs.toml, packs.lock, the vendored packs, the generated Go file and
the files that the Go toolchain embeds agree, and that no other source file
changes the generated variables. It writes nothing, and without --remote it uses
no network. The exit code is 1 for a difference, 2 for packs that are larger
than [limits] of packs.toml allows, and 4 for wrong bytes or an inconsistent
packs.lock.

If CI=true, a pack with a path beside its ref is a fault: it is under
development.

With --remote it also checks that each registry has the locked manifest, and
that a version tag in packs.toml names the digest beside it. For a range it
checks the locked digest, not the tag.

The last line counts the packs: "2 of 3 packs verified" says that one of three
has a fault. A fault of the Go package counts against all packs. "2 may be
unsigned" counts the packs whose rule in [trust.rules] of packs.toml has no
signers. Rules of PACKVENDOR_TRUST do not count here. "1 from a file" counts the
packs with a path.

With --binary it compares a compiled program with the packs.lock of each -f, and
with each --lock, and does nothing else. It finds packs by the markers in the
generated file, and their bytes by digest. It does not run the program. The exit
code is 1 if the program has no pack of the package of a packs.lock, a marker
without its bytes, or a pack of that package that packs.lock does not have. It
is 4 for other bytes than the marker or packs.lock says. Packs that the linker
left out are named; with --all they are a fault. So are, with --only, packs of
other packages, such as those of a dependency.`,
		Example: `  packvendor verify --remote
  packvendor verify --binary ./app --all
  packvendor verify -f ./...    # in all projects here and below`,
		Args: c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if remote && c.offline {
				return usagef("--remote and --offline exclude each other")
			}
			if err := checkProgramFlags(command); err != nil {
				return err
			}
			if command.Flags().Changed("binary") {
				return c.verifyProgram(command, program, vo)
			}
			c.section = nil
			return c.eachProject(func(o vendorer.Options) error {
				o.Locked = c.inCI()
				v, err := vendorer.Verify(command.Context(), o, remote)
				if err != nil {
					return err
				}
				return c.reportVerify(v)
			})
		},
	}
	c.projectsFlags(command)
	command.Flags().BoolVar(&remote, "remote", false, "prove packs.lock against the registries too")
	command.Flags().StringVar(&program, "binary", "", "compare the packs in `FILE`, a compiled program, instead")
	c.lockFlag(command, &vo.Locks, "with --binary: compare with `FILE`; repeatable")
	command.Flags().BoolVar(&vo.All, "all", false, "with --binary: want each locked pack linked")
	command.Flags().BoolVar(&vo.Only, "only", false, "with --binary: want no other pack")
	return command
}

// verifyJSON is the document of verify --json.
type verifyJSON struct {
	Packs    int `json:"packs"`    // how many were checked
	Verified int `json:"verified"` // of how many nothing was found
	// MayBeUnsigned is for how many the rule in packs.toml has no signers.
	MayBeUnsigned int `json:"may_be_unsigned,omitempty"`
	// FromFiles is how many are from files.
	FromFiles int            `json:"from_files,omitempty"`
	Findings  []problem.JSON `json:"findings"` // everything that was found
	// Unembedded says why the Go toolchain was not asked.
	Unembedded string `json:"unembedded,omitempty"`
	// Program is the program of --binary, and packs are then those of the files packs.lock that
	// it is compared with.
	Program *programJSON `json:"program,omitempty"`
}

func (c *cli) reportVerify(v *vendorer.Verification) error {
	doc := verifyJSON{Packs: v.Packs, Verified: v.Verified(), MayBeUnsigned: v.MayBeUnsigned, FromFiles: v.FromFiles}
	if v.Unembedded != nil {
		doc.Unembedded = "what the Go toolchain embeds was not checked: " + v.Unembedded.Error()
		c.say.Notice("%s%s", c.say.About, doc.Unembedded)
	}
	problems := c.explain(errors.Join(v.Findings...))
	doc.Findings = c.problemsJSON(problems)
	return c.end(outcome{problems: problems, document: doc, after: diffsOf(v.Findings) + c.verifiedText(v)})
}

// verifiedText says how many packs were verified, of how many.
func (c *cli) verifiedText(v *vendorer.Verification) string {
	if c.quiet {
		return ""
	}
	text := fmt.Sprintf("%s%d of %s verified", c.say.About, v.Verified(), phrase.Count(v.Packs, "pack"))
	if v.MayBeUnsigned > 0 {
		text += fmt.Sprintf("; %d may be unsigned", v.MayBeUnsigned)
	}
	if v.FromFiles > 0 {
		text += fmt.Sprintf("; %d from a file", v.FromFiles)
	}
	return text + "\n"
}

// diffsOf returns the changes in generated files. Anybody may have made them, so they
// are escaped.
func diffsOf(findings []error) string {
	var diffs strings.Builder
	for _, finding := range findings {
		var generated *vendorer.GeneratedError
		if errors.As(finding, &generated) {
			diffs.WriteString(printable.Text(generated.Diff))
		}
	}
	return diffs.String()
}

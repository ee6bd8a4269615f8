package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/checkup"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/invocation"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
)

// checksEnvironment marks the command that reports a wrong variable and goes on, where
// others end.
const checksEnvironment = "checks-environment"

func (c *cli) doctorCommand() *cobra.Command {
	var remote bool
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine and the project, for a bug report",
		Long: `Check this machine and the project, and print a line for each check, for a bug
report: packvendor, the system, Go and git; packs.toml, packs.lock, the vendored
packs, the files that packs.toml names as packs, and whether GOFLAGS chooses the
stub; the shared cache and who can write it; mirrors, proxies, certificates and
credentials. It needs no project, starts no credential helper and shows no
secret. It compares the size of a vendored pack; "packvendor verify" compares
the bytes.

After a line with "error", commands fail; after "warning", they work. The exit
code is that of the gravest error: 2 for packs.toml, packs.lock, registries.conf
and variables, 3 for the network, 4 for a packs.lock that contradicts itself or
a cached manifest, and for a vendored file that is not the pack, 5 for the
cache. It is 0 if there is no error. --quiet prints only warnings and errors.

Without --remote it uses no network.`,
		Example: `  packvendor doctor
  packvendor doctor --remote    # ask each registry of packs.toml once, too`,
		Args:        c.noArguments,
		Annotations: map[string]string{checksEnvironment: "yes"},
		RunE: func(command *cobra.Command, _ []string) error {
			if remote && c.offline {
				return usagef("--remote and --offline exclude each other")
			}
			return c.runDoctor(command, remote)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.fetchFlags(command)
	command.Flags().BoolVar(&remote, "remote", false, "ask each registry of packs.toml once, too")
	return command
}

func (c *cli) runDoctor(command *cobra.Command, remote bool) error {
	o, err := c.oneProject(command)
	if err != nil {
		return err
	}
	checks, err := checkup.Run(command.Context(), checkup.Options{
		Project: o, Program: fmt.Sprintf("%s, built with %s, started as %s", version(), currentVersion().Go, c.startedAs()),
		InCI: c.inCI(), Flags: c.presetWords(), FlagsErr: c.presetErr, AuthErr: c.authError(), Anonymous: c.isAnonymous(),
		Getenv: c.getenv, Explain: c.explain, Hints: &c.say.Hints, Remote: remote,
	})
	if err != nil {
		return err
	}
	return c.reportDoctor(checks)
}

// startedAs is the command line that starts packvendor, without arguments.
func (c *cli) startedAs() string {
	form := invocation.Form{}
	if c.form != nil {
		form = c.form()
	}
	return hint.ShellLine(form.Command())
}

// doctorJSON is the document of doctor --json.
type doctorJSON struct {
	Checks []checkJSON `json:"checks"` // in the order of the text
}

// checkJSON is a check; Level is ok, warning or error, and Code the exit code of an error.
type checkJSON struct {
	Level   checkup.Level `json:"level"`          // ok, warning or error
	Subject string        `json:"subject"`        // what was looked at
	Message string        `json:"message"`        // what was found
	Code    int           `json:"code,omitempty"` // the exit code of an error
	Hint    string        `json:"hint,omitempty"` // the next command, or the line for packs.toml
}

// reportDoctor prints a line for each check, and then what mends the bad ones.
func (c *cli) reportDoctor(checks []checkup.Check) error {
	doc, o := doctorJSON{Checks: []checkJSON{}}, outcome{}
	t := phrase.NewTable()
	for _, check := range checks {
		if c.quiet && check.Level == checkup.OK {
			continue
		}
		t.Add(string(check.Level), check.Subject, check.Text)
		doc.Checks = append(doc.Checks, checkJSON{
			Level: check.Level, Subject: check.Subject, Message: check.Text,
			Code: check.Kind.ExitCode(), Hint: c.say.Hints.Text(check.Hint),
		})
		o.kind, o.hints = max(o.kind, check.Kind), append(o.hints, check.Hint)
	}
	o.document, o.before = doc, t.String()
	return c.end(o)
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// mirrorCommand is about the mirrors of registries.
func (c *cli) mirrorCommand() *cobra.Command {
	return c.parentCommand(&cobra.Command{
		Use:     "mirror COMMAND",
		Short:   "Explain which mirrors would be asked",
		Example: "  packvendor mirror explain ghcr.io/greenticai/greentic-packs/slack:0.4.38",
	}, c.mirrorExplainCommand())
}

func (c *cli) mirrorExplainCommand() *cobra.Command {
	var fo vendorer.FetchOptions
	command := &cobra.Command{
		Use:   "explain REF",
		Short: "Say which sources a reference has, and in which order",
		Long: `Show which files say where mirrors are, the rule that matches a reference, and
the URLs that packvendor asks in order, for a digest and for a tag. It changes
nothing, and asks nobody.

Mirrors are in registries.conf, the file of Podman, Skopeo and CRI-O. It is
$CONTAINERS_REGISTRIES_CONF, else the first registries.conf in
~/.config/containers, /etc/containers and /usr/share/containers, and then the
files in registries.conf.d there. CONTAINERS_REGISTRIES_CONF=/dev/null turns
mirrors off.

A digest is asked of the mirrors first. A tag is asked of the registry first,
because most mirrors miss new tags, unless a mirror has pull-from-mirror = "all"
or "tag-only".`,
		Example: `  packvendor mirror explain ghcr.io/greenticai/greentic-packs/slack:0.4.38
  packvendor mirror explain --json ghcr.io/greenticai/telco-x`,
		Args: arguments(1, 1, "one reference"),
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			explanation, err := vendorer.ExplainMirrors(command.Context(), o, fo, args[0])
			if err != nil {
				return err
			}
			return c.reportMirrors(explanation)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.insecureFlag(command, &fo.InsecureRegistries)
	return command
}

// mirrorJSON is the document of mirror explain --json.
type mirrorJSON struct {
	Reference string          `json:"reference"` // as it was given
	Files     []mirrorsFile   `json:"files"`     // that were read, in their order
	Rule      *mirrorRuleJSON `json:"rule"`      // that matches; null if none does
	Digest    []sourceJSON    `json:"digest"`    // the sources for a digest, in order
	Tag       []sourceJSON    `json:"tag"`       // those for a tag or, without one, for the list of tags
	// Error is why nobody may be asked.
	Error *problem.FailureJSON `json:"error,omitempty"`
}

// mirrorsFile is a file that was read.
type mirrorsFile struct {
	File    string `json:"file"`              // as it was named
	Ignored bool   `json:"ignored,omitempty"` // it is in the format of version 1
}

// mirrorRuleJSON is a table [[registry]].
type mirrorRuleJSON struct {
	Prefix string `json:"prefix"` // of the references that it matches
	File   string `json:"file"`   // that has it
	Line   int    `json:"line"`   // where it begins
}

// sourceJSON is a source of a reference.
type sourceJSON struct {
	Role string `json:"role"`           // origin, location or mirror
	URL  string `json:"url"`            // of the request
	File string `json:"file,omitempty"` // that names the source
	Line int    `json:"line,omitempty"` // where it does
	// AfterOrigin tells that it is asked only if the registry does not answer.
	AfterOrigin bool `json:"after_origin,omitempty"`
	// PassedOver says why it is not asked: insecure, blocked or foreign.
	PassedOver string `json:"passed_over,omitempty"`
}

func newMirrorJSON(e *vendorer.MirrorExplanation) mirrorJSON {
	doc := mirrorJSON{Reference: e.Reference.Text(), Files: []mirrorsFile{}, Digest: newSourcesJSON(e.Digest), Tag: newSourcesJSON(e.Tag)}
	ignored := map[string]bool{}
	for _, file := range e.Ignored {
		ignored[file] = true
	}
	for _, file := range e.Files {
		doc.Files = append(doc.Files, mirrorsFile{File: file, Ignored: ignored[file]})
	}
	if r := e.Rule; r != nil {
		doc.Rule = &mirrorRuleJSON{Prefix: r.Prefix, File: r.File, Line: r.Line}
	}
	return doc
}

func newSourcesJSON(list []vendorer.ExplainedSource) []sourceJSON {
	doc := []sourceJSON{}
	for _, s := range list {
		doc = append(doc, sourceJSON{
			Role: string(s.Role), URL: s.URL, File: s.File, Line: s.Line,
			AfterOrigin: s.AfterOrigin, PassedOver: string(s.PassedOver),
		})
	}
	return doc
}

func (c *cli) reportMirrors(e *vendorer.MirrorExplanation) error {
	doc := newMirrorJSON(e)
	t := phrase.NewTable()
	for _, f := range doc.Files {
		text := f.File
		if f.Ignored {
			text += " (ignored: it is in the format of version 1)"
		}
		t.Add("read", text)
	}
	if len(doc.Files) == 0 {
		t.Add("read", "no file")
	}
	if r := doc.Rule; r != nil {
		t.Add("rule", fmt.Sprintf("%s:%d: %s", r.File, r.Line, r.Prefix))
	} else {
		t.Add("rule", "none matches")
	}
	for _, s := range doc.Digest {
		t.Add("digest", sourceText(s))
	}
	for _, s := range doc.Tag {
		t.Add("tag", sourceText(s))
	}
	var problems []problem.Problem
	if e.Blocked != nil {
		problems = c.explain(e.Blocked)
		doc.Error = c.newFailureJSON(problems)
	}
	return c.end(outcome{problems: problems, document: doc, before: t.String()})
}

// passedWords say why a source is passed over.
var passedWords = map[packfetch.PassedOver]string{
	packfetch.PassedInsecure: "insecure_registries does not have it",
	packfetch.PassedBlocked:  "blocked",
	packfetch.PassedForeign:  "its file is in the work tree, and no rule asks for a signature",
}

func sourceText(s sourceJSON) string {
	text := s.URL + " (" + s.Role
	if s.AfterOrigin {
		text += ", if the registry does not answer"
	}
	if s.PassedOver != "" {
		text += ", passed over: " + passedWords[packfetch.PassedOver(s.PassedOver)]
	}
	return text + ")"
}

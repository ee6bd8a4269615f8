package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) trustExplainCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "explain NAME|REF",
		Short: "Say which rule a pack has, and what signs it",
		Long: `Show the rule of [trust.rules] that a pack matches, where signatures were looked
for, each candidate, and why it counts or not. NAME is a pack of packs.toml, as
it is locked or would be, and REF a pack in a registry. Every place is searched,
and nothing is changed. If PACKVENDOR_TRUST names a file, the last lines show
the rule that matches there, and whether that rule accepts the signature, too.

The exit code is 4 if none of a rule's signers has signed the pack, 3 if a place
could not be searched and nothing else has a valid signature, and 2 if no rule
matches or a keyless signature cannot be verified.`,
		Example: `  packvendor trust explain messaging-slack
  packvendor trust explain ghcr.io/greenticai/greentic-packs/slack:0.4.38`,
		Args:              arguments(1, 1, "one NAME or REF"),
		ValidArgsFunction: c.completePacks(1),
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			explanation, err := vendorer.ExplainTrust(command.Context(), o, args[0])
			if err != nil {
				return err
			}
			return c.reportTrustExplain(explanation)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.fetchFlags(command)
	return command
}

// trustExplainJSON is the document of trust explain --json.
type trustExplainJSON struct {
	Name           string           `json:"name,omitempty"`         // of the pack in packs.toml
	Path           string           `json:"path,omitempty"`         // of the file that the pack is
	Reference      string           `json:"reference"`              // of the pack; empty if a file alone is it
	ManifestDigest string           `json:"manifest_digest"`        // of the manifest that holds the layer; empty of a file
	IndexDigest    string           `json:"index_digest,omitempty"` // of the image index that lists the manifest
	LayerDigest    string           `json:"layer_digest"`           // of the pack's bytes; empty of a file that is not locked
	Locked         string           `json:"locked,omitempty"`       // who signed it as packs.lock has it
	Rule           *matchedRuleJSON `json:"rule"`                   // null if none matches, or there is none
	Candidates     []candidateJSON  `json:"candidates"`             // what may be a signature, in the order in which it was found
	Looked         []string         `json:"looked"`                 // a place each, and what it had
	// Result is signed, unsigned, unsearched, unverified, no-rule, or not-asked where no rule
	// or an exception holds.
	Result string `json:"result"`
	By     string `json:"by,omitempty"` // the signer, if it is signed
	// Organisation is how the file that PACKVENDOR_TRUST names judges the pack.
	Organisation *organisationJSON    `json:"organisation,omitempty"`
	Error        *problem.FailureJSON `json:"error,omitempty"` // why there is no rule, or what could not be searched or verified
}

// matchedRuleJSON is the rule that a pack matches.
type matchedRuleJSON struct {
	Key     string   `json:"key"`     // as it is written
	Signers []string `json:"signers"` // names of those of whom one must have signed; none for an exception
	Retired []string `json:"retired"` // names of those among them who are not good for this layer
}

// organisationJSON is how an organisation's file judges a pack.
type organisationJSON struct {
	File    string           `json:"file"`              // as PACKVENDOR_TRUST names it
	Rule    *matchedRuleJSON `json:"rule"`              // null if none matches
	Result  string           `json:"result"`            // one of those of the whole document
	By      string           `json:"by,omitempty"`      // what the file calls the signer, if it is signed
	Refused string           `json:"refused,omitempty"` // why the signature that a run locks does not count
}

// candidateJSON may be a signature.
type candidateJSON struct {
	What    string `json:"what"`             // its digest, or its place
	Signer  string `json:"signer,omitempty"` // the name of the signer by whom it is valid
	Counts  bool   `json:"counts"`           // whether it is valid, and the rule has the signer
	Verdict string `json:"verdict"`          // in words
}

func newTrustExplainJSON(e *vendorer.TrustExplanation) trustExplainJSON {
	doc := trustExplainJSON{
		Name: e.Name, Path: e.Path, Reference: e.Reference, ManifestDigest: string(e.Manifest), IndexDigest: string(e.Index), LayerDigest: string(e.Layer),
		Locked: e.Locked, Candidates: newCandidatesJSON(e.Candidates), Looked: append([]string{}, e.Looked...), Result: string(e.Result), By: e.By,
	}
	doc.Rule = newMatchedRuleJSON(e.Rule, e.Signers)
	if o := e.Organisation; o != nil {
		doc.Organisation = &organisationJSON{File: o.File, Rule: newMatchedRuleJSON(o.Rule, o.Signers), Result: string(o.Result), By: o.By, Refused: o.Refused}
	}
	return doc
}

func newCandidatesJSON(candidates []vendorer.TrustCandidate) []candidateJSON {
	list := []candidateJSON{}
	for _, candidate := range candidates {
		list = append(list, candidateJSON{What: candidate.What, Signer: candidate.Signer, Counts: candidate.Counts, Verdict: candidate.Verdict})
	}
	return list
}

// newMatchedRuleJSON returns nil if there is no rule.
func newMatchedRuleJSON(key string, signers []vendorer.RuleSigner) *matchedRuleJSON {
	if key == "" {
		return nil
	}
	rule := &matchedRuleJSON{Key: key, Signers: []string{}, Retired: []string{}}
	for _, s := range signers {
		rule.Signers = append(rule.Signers, s.Name)
		if s.Retired {
			rule.Retired = append(rule.Retired, s.Name)
		}
	}
	return rule
}

// trustKinds are the results that are errors.
var trustKinds = map[vendorer.TrustResult]problem.Kind{
	vendorer.TrustUnsigned:   problem.Integrity,
	vendorer.TrustUnsearched: problem.Network,
	vendorer.TrustUnverified: problem.Usage,
	vendorer.TrustNoRule:     problem.Usage,
}

func (c *cli) reportTrustExplain(e *vendorer.TrustExplanation) error {
	t := phrase.NewTable()
	for _, row := range [][2]string{{"pack", e.Name}, {"from a file", e.Path}, {"reference", e.Reference}, {"manifest", string(e.Manifest)}, {"index", string(e.Index)}, {"locked", e.Locked}} {
		if row[1] != "" {
			t.Add(row[0], row[1])
		}
	}
	t.Add("rule", ruleText(e.Rule, e.Signers, e.Result))
	addSignatures(t, e)
	t.Add("result", resultText(e, e.Result, e.By))
	kind := trustKinds[e.Result]
	if o := e.Organisation; o != nil {
		t.Add("PACKVENDOR_TRUST", o.File)
		t.Add("rule there", ruleText(o.Rule, o.Signers, o.Result))
		result := resultText(e, o.Result, o.By)
		if o.Refused != "" {
			result = "refused: " + o.Refused
		}
		t.Add("result there", result)
		kind = max(kind, trustKinds[o.Result])
	}
	doc := newTrustExplainJSON(e)
	problems := c.explain(e.Err)
	doc.Error = c.newFailureJSON(problems)
	return c.end(outcome{problems: problems, kind: kind, document: doc, before: t.String()})
}

// resultText says what a result means for a pack.
func resultText(e *vendorer.TrustExplanation, result vendorer.TrustResult, by string) string {
	if e.Path != "" && result == vendorer.TrustUnsigned {
		return "a file has no signature"
	}
	return trustResultText(result, by, len(e.Candidates))
}

// addSignatures adds the candidates, and the places that were searched.
func addSignatures(t *phrase.Table, e *vendorer.TrustExplanation) {
	addRows(t, "candidates", e.Candidates, func(c vendorer.TrustCandidate) string { return c.What + ": " + c.Verdict })
	addRows(t, "looked at", e.Looked, func(place string) string { return place })
}

// ruleText says what the rule of a pack asks for.
func ruleText(rule string, signers []vendorer.RuleSigner, result vendorer.TrustResult) string {
	var names []string
	for _, s := range signers {
		name := s.Name
		if s.Retired {
			name += " (retired, not good for this layer)"
		}
		names = append(names, name)
	}
	switch {
	case rule == "" && result == vendorer.TrustNoRule:
		return "none matches"
	case rule == "":
		return "packs.toml has no rules"
	case len(names) == 0:
		return rule + ": exception, may be unsigned"
	}
	return rule + ": " + strings.Join(names, " or ")
}

// trustResultText says what a search means that has found some candidates.
func trustResultText(result vendorer.TrustResult, by string, candidates int) string {
	switch result {
	case vendorer.TrustSigned:
		return "signed by " + by
	case vendorer.TrustUnsigned:
		if candidates == 0 {
			return "no signature yet; publishers sign after pushing"
		}
		return "no candidate is a signature by a signer of the rule"
	case vendorer.TrustUnsearched:
		return "not fully searched, and no valid signature so far"
	case vendorer.TrustUnverified:
		return "a keyless signature is not verified here, and no other is valid"
	case vendorer.TrustNoRule:
		return "refused: each pack must match a rule"
	}
	return "no rule asks for a signature"
}

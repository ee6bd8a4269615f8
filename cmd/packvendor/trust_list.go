package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) trustListCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "list",
		Short: "List signers, rules, and what they have signed",
		Long: `List the signers of packs.toml with the fingerprints of their keys, and the
packs that packs.lock has as signed by each; then the rules, in the order of the
file, and the packs that each holds for. A rule without signers is an exception:
its packs may be unsigned. No signature is verified, and no network is used:
"packvendor verify" proves what packs.lock says. If PACKVENDOR_TRUST names a
file, its rules hold as well, and are not listed.`,
		Example: "  packvendor trust list",
		Args:    c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			table, err := vendorer.ListTrust(command.Context(), o)
			if err != nil {
				return err
			}
			return c.reportTrust(table)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	return command
}

// trustListJSON is the document of trust list --json.
type trustListJSON struct {
	Signers   []signerJSON   `json:"signers"`   // of packs.toml, in the order of the file
	Rules     []ruleJSON     `json:"rules"`     // likewise
	Unmatched []string       `json:"unmatched"` // names of packs that no rule matches, if there are rules
	Strangers []strangerJSON `json:"strangers"` // signers that packs.lock has, and packs.toml has not
	// Organisation is the file that PACKVENDOR_TRUST names, whose rules hold as well.
	Organisation string `json:"organisation,omitempty"`
}

// signerJSON is a signer of packs.toml.
type signerJSON struct {
	Name string         `json:"name"`           // of the signer in packs.toml
	ID   string         `json:"id"`             // what packs.lock calls it
	Key  *signerKeyJSON `json:"key"`            // null if it signs without a key of its own
	Only []string       `json:"only,omitempty"` // the layers for which a retired signer is good
	// Packs are the names of the packs that are locked as signed by it.
	Packs []string `json:"packs"`
}

// ruleJSON is a rule of packs.toml.
type ruleJSON struct {
	Key     string   `json:"key"`     // as packs.toml has it
	Signers []string `json:"signers"` // names of those of whom one must have signed; none for an exception
	Packs   []string `json:"packs"`   // names of the packs that it holds for
}

// strangerJSON is a signer that packs.toml does not have.
type strangerJSON struct {
	ID    string   `json:"id"`    // what packs.lock calls it
	Packs []string `json:"packs"` // names of the packs that are locked as signed by it
}

func newTrustListJSON(table *vendorer.TrustTable) trustListJSON {
	doc := trustListJSON{Signers: []signerJSON{}, Rules: []ruleJSON{}, Unmatched: append([]string{}, table.Unmatched...), Strangers: []strangerJSON{}, Organisation: table.Organisation}
	for _, s := range table.Signers {
		signer := signerJSON{Name: s.Name, ID: s.ID, Only: digestTexts(s.Only), Packs: append([]string{}, s.Packs...)}
		if s.Key != nil {
			key := newSignerKeyJSON(*s.Key)
			signer.Key = &key
		}
		doc.Signers = append(doc.Signers, signer)
	}
	for _, r := range table.Rules {
		doc.Rules = append(doc.Rules, ruleJSON{Key: r.Key, Signers: append([]string{}, r.Signers...), Packs: append([]string{}, r.Packs...)})
	}
	for _, s := range table.Strangers {
		doc.Strangers = append(doc.Strangers, strangerJSON(s))
	}
	return doc
}

func digestTexts(digests []ociref.Digest) []string {
	var texts []string
	for _, d := range digests {
		texts = append(texts, string(d))
	}
	return texts
}

// reportTrust prints a table of signers, and below it one of rules.
func (c *cli) reportTrust(table *vendorer.TrustTable) error {
	signers := phrase.NewTable("SIGNER", "KIND", "GOOD FOR", "PACKS", "FINGERPRINT OR IDENTITY")
	for _, s := range table.Signers {
		kind, id := "keyless", s.ID
		if s.Key != nil {
			kind, id = s.Key.Algorithm, s.Key.Fingerprint
		}
		goodFor := "all packs"
		if s.Only != nil {
			goodFor = phrase.Count(len(s.Only), "layer")
		}
		signers.Add(s.Name, kind, goodFor, namesText(s.Packs), id)
	}
	for _, s := range table.Strangers {
		signers.Add("-", "not in packs.toml", "nothing", namesText(s.Packs), s.ID)
	}
	rules := phrase.NewTable("RULE", "SIGNERS", "PACKS")
	for _, r := range table.Rules {
		text := strings.Join(r.Signers, " or ")
		if len(r.Signers) == 0 {
			text = "exception: may be unsigned"
		}
		rules.Add(r.Key, text, namesText(r.Packs))
	}
	if len(table.Unmatched) > 0 {
		rules.Add("-", "no rule matches", namesText(table.Unmatched))
	}
	err := c.end(outcome{document: newTrustListJSON(table), before: phrase.Join("\n", signers.String(), rules.String())})
	if err == nil && table.Organisation != "" && !c.json {
		c.say.Notice("the rules of %s hold as well: PACKVENDOR_TRUST names it", table.Organisation)
	}
	return err
}

func namesText(names []string) string { return phrase.OrDash(strings.Join(names, ", ")) }

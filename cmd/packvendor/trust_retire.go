package main

import (
	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) trustRetireCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "retire NAME",
		Short: "Make a signer good for what is locked, and nothing else",
		Long: `Make a signer good for nothing but the layers that packs.lock has as signed by
it: write them as the key only of its entry in [trust.signers]. Its rules stay
as they are. This is for a publisher who has a new key: add the new one, name
both in the rules, update, and retire the old one.

If somebody else may have the old key, delete its entry instead. Then everything
that it signed is refused. No network is used.`,
		Example:           "  packvendor trust retire greentic-2025",
		Args:              arguments(1, 1, "one NAME"),
		ValidArgsFunction: c.completeSigners,
		RunE: func(command *cobra.Command, args []string) error {
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			retired, err := vendorer.RetireSigner(command.Context(), o, args[0])
			if err != nil {
				return err
			}
			return c.reportTrustRetire(retired)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	return command
}

// completeSigners completes the name of one signer.
func (c *cli) completeSigners(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 {
		for _, name := range vendorer.ConfiguredSigners(c.completedFile()) {
			names = append(names, safe.Line(name))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// trustRetireJSON is the document of trust retire --json.
type trustRetireJSON struct {
	Name    string             `json:"name"`    // of the signer
	Layers  []retiredLayerJSON `json:"layers"`  // for which it is good from now on, by digest
	Written []string           `json:"written"` // files that were written; none if it was so already
}

// retiredLayerJSON is a layer that a retired signer has signed.
type retiredLayerJSON struct {
	Digest string   `json:"digest"` // of the layer
	Packs  []string `json:"packs"`  // names of the packs that are locked with it
}

func (c *cli) reportTrustRetire(retired *vendorer.RetiredSigner) error {
	doc := trustRetireJSON{Name: retired.Name, Layers: []retiredLayerJSON{}, Written: append([]string{}, retired.Written...)}
	t := phrase.NewTable("GOOD FOR", "PACKS")
	for _, layer := range retired.Layers {
		doc.Layers = append(doc.Layers, retiredLayerJSON{Digest: string(layer.Digest), Packs: layer.Packs})
		t.Add(string(layer.Digest), namesText(layer.Packs))
	}
	o := outcome{document: doc}
	if !c.quiet {
		o.before = t.String()
	}
	if err := c.end(o); err != nil || c.json {
		return err
	}
	if len(retired.Written) == 0 {
		c.say.Notice("%s is retired already, and nothing changed", retired.Name)
	}
	return nil
}

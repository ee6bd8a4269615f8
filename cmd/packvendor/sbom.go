package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/safe"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) sbomCommand() *cobra.Command {
	var so vendorer.SBOMOptions
	command := &cobra.Command{
		Use:   "sbom [FILE]",
		Short: "Write the locked packs, or those of a program, into an SBOM",
		Long: `Write the packs of packs.lock into a software bill of materials (SBOM): a
CycloneDX 1.6 document in JSON, on standard output or, with -o, in a file. Of
each pack it has the package URL, the digest, the size, and the signer as
packs.lock has it; and the components in the pack, on the word of the pack's own
manifest.

If FILE is named, a compiled program, the packs are those whose bytes it has.
packvendor does not run the program, and needs no packs.toml. A program does not
say who signed its packs.

--merge adds the packs to an SBOM that another tool made of the program, such as
cyclonedx-gomod: such tools do not see embedded files. It must be CycloneDX 1.4
to 1.7 in JSON. The packs become components, on which the main component of that
SBOM depends. All else stays as it is, byte for byte. -o may name the same file,
and is needed if a terminal or a CI system would obey characters in the SBOM.
Packs that the SBOM has already are not added again.

The same packs.lock, or the same program, gives the same bytes: a new SBOM has
no time, and its serial number follows from its contents. packvendor reads the
vendored packs. It takes packs that are missing from the cache, from the bundles
of --from or from the registries.`,
		Example: `  packvendor sbom -o packs.cdx.json
  packvendor sbom --merge app.cdx.json -o app.cdx.json
  packvendor sbom ./app --merge app.cdx.json -o app.cdx.json`,
		Args:              arguments(0, 1, "at most one FILE"),
		ValidArgsFunction: completeFiles(0, 0),
		RunE: func(command *cobra.Command, args []string) error {
			if so.Output == "" && command.Flags().Changed("output") {
				return usagef("-o names no file")
			}
			if so.Merge == "" && command.Flags().Changed("merge") {
				return usagef("--merge names no file")
			}
			o, err := c.sbomSource(command, args, &so)
			if err != nil {
				return err
			}
			written, err := vendorer.WriteSBOM(command.Context(), o, so)
			if err != nil {
				return err
			}
			return c.reportSBOM(written, so)
		},
	}
	c.projectFlags(command)
	c.fromFlag(command)
	command.Flags().StringVarP(&so.Output, "output", "o", "", "write the SBOM to `FILE`")
	command.Flags().StringVar(&so.Merge, "merge", "", "add the packs to the SBOM in `FILE`")
	return command
}

// sbomSource finds out whose packs are wanted: those of a project or of a program.
func (c *cli) sbomSource(command *cobra.Command, args []string, so *vendorer.SBOMOptions) (vendorer.Options, error) {
	if len(args) == 0 {
		return c.oneProject(command)
	}
	if len(c.files) > 0 && c.presetFiles == 0 {
		return vendorer.Options{}, misuse(command, "%s takes a program or -f, not both", command.CommandPath())
	}
	if so.Program = args[0]; so.Program == "" {
		return vendorer.Options{}, usagef("the name of the program is empty")
	}
	return c.options(), nil
}

// writtenSBOMJSON is the document of sbom --json with -o. Without -o the SBOM itself is printed.
type writtenSBOMJSON struct {
	Output string         `json:"output"`           // the SBOM
	Merged string         `json:"merged,omitempty"` // the SBOM to which the packs were added
	Packs  []sbomPackJSON `json:"packs"`            // those in it, in its order
	Added  int            `json:"added"`            // how many of them the merged SBOM did not have; all in a new one
}

type sbomPackJSON struct {
	Name       string `json:"name"`       // of the pack in packs.toml
	PURL       string `json:"purl"`       // its package URL
	Components int    `json:"components"` // how many its own manifest names
}

func (c *cli) reportSBOM(written *vendorer.WrittenSBOM, so vendorer.SBOMOptions) error {
	if so.Output == "" {
		if !safe.IsHarmless(string(written.Text)) { // no byte of the merged SBOM may change
			return usagef("%s has characters that terminals or CI systems would obey: name a file with -o", so.Merge)
		}
		return c.print("%s", written.Text)
	}
	doc := writtenSBOMJSON{Output: so.Output, Merged: so.Merge, Packs: []sbomPackJSON{}, Added: written.Added}
	for _, p := range written.Packs {
		doc.Packs = append(doc.Packs, sbomPackJSON(p))
	}
	if err := c.end(outcome{document: doc, before: so.Output + "\n"}); err != nil || c.json {
		return err
	}
	text := phrase.Count(len(written.Packs), "pack") + " in the SBOM"
	if so.Merge != "" {
		text += fmt.Sprintf(", %d added", written.Added)
	}
	c.say.Notice("%s", text)
	return nil
}

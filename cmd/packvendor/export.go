package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) exportCommand() *cobra.Command {
	eo := vendorer.ExportOptions{}
	command := &cobra.Command{
		Use:   "export [NAME...]",
		Short: "Write the locked packs into a bundle, for closed networks",
		Long: `Write the packs of packs.lock, or those that are named, into a bundle: an OCI
image layout, which oras, regctl and skopeo read too. It holds all manifests and
blobs of each pack, packs.lock, and the evidence of signed packs. The bytes come
from the project, the shared cache and the bundles of --from, and only the rest
from the registries. It prints the path of the bundle.

The bundle is a tar archive if its name ends in ".tar". Else it is a folder,
which must not exist yet or be empty. The same packs.lock gives the same bytes.

--since leaves out the packs of an older packs.lock or in an earlier bundle.
Packs that are files are not in a bundle: they have no manifest.

On another machine, "packvendor import" puts the packs of a bundle into the
cache, and "packvendor --from BUNDLE" vendors them without the cache.`,
		Example: `  packvendor export -o bundle.tar
  packvendor export -o new.tar --since old.tar`,
		ValidArgsFunction: c.completePacks(0),
		RunE: func(command *cobra.Command, args []string) error {
			if eo.Output == "" {
				return usagef("-o names no file")
			}
			if eo.Since == "" && command.Flags().Changed("since") {
				return usagef("--since names no file")
			}
			o, err := c.oneProject(command)
			if err != nil {
				return err
			}
			eo.Names = args
			exported, err := vendorer.Export(command.Context(), o, eo)
			if err != nil {
				return err
			}
			return c.reportExport(exported)
		},
	}
	c.projectFlags(command)
	c.fromFlag(command)
	command.Flags().StringVarP(&eo.Output, "output", "o", "packs.tar", "write the bundle to `FILE`")
	command.Flags().StringVar(&eo.Since, "since", "", "leave out the packs of `FILE`, a packs.lock or a bundle")
	return command
}

// exportJSON is the document of export --json.
type exportJSON struct {
	Output    string             `json:"output"`               // the bundle
	Packs     []exportedPackJSON `json:"packs"`                // those in the bundle, by name
	LeftOut   []string           `json:"left_out,omitempty"`   // names of packs that --since has
	FromFiles []string           `json:"from_files,omitempty"` // names of packs that are files, and not in the bundle
	Size      int64              `json:"size"`                 // bytes of all manifests and blobs
}

type exportedPackJSON struct {
	Name      string `json:"name"`      // of the pack in packs.toml
	Reference string `json:"reference"` // with tag and digest, as the bundle has it
	*difference.LockedJSON
	From string `json:"from"` // where the bytes of the pack came from: project, cache, bundle or registry
}

func (c *cli) reportExport(e *vendorer.Exported) error {
	doc := exportJSON{Output: e.Output, Packs: []exportedPackJSON{}, LeftOut: e.LeftOut, FromFiles: e.FromFiles, Size: e.Size}
	for _, p := range e.Packs {
		doc.Packs = append(doc.Packs, exportedPackJSON{Name: p.Name, Reference: p.Reference, LockedJSON: difference.NewLockedJSON(p.Entry), From: string(p.From)})
		c.say.Detail("%s: %s", p.Name, p.Reference)
	}
	for _, name := range e.FromFiles {
		c.say.Detail("%s: from a file", name)
	}
	if err := c.end(outcome{document: doc, before: e.Output + "\n"}); err != nil || c.json {
		return err
	}
	text := phrase.Count(len(e.Packs), "pack") + " exported"
	if len(e.LeftOut) > 0 {
		text += fmt.Sprintf(", %d left out", len(e.LeftOut))
	}
	if n := len(e.FromFiles); n > 0 {
		text += ", " + fromFiles(n) + " passed over"
	}
	text += "; " + phrase.Bytes(e.Size)
	if e.Fetched > 0 {
		text += ", " + phrase.Bytes(e.Fetched) + " downloaded"
	}
	c.say.Notice("%s; %.1fs", text, c.elapsed().Seconds())
	return nil
}

// fromFiles counts packs that are files.
func fromFiles(n int) string {
	if n == 1 {
		return "1 from a file"
	}
	return fmt.Sprintf("%d from files", n)
}

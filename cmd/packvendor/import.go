package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/difference"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) importCommand() *cobra.Command {
	var io vendorer.ImportOptions
	command := &cobra.Command{
		Use:   "import BUNDLE...",
		Short: "Put the packs of bundles into the shared cache, without network",
		Long: `Put the packs of packs.lock from bundles into the shared cache. A bundle is an
OCI image layout, as a folder or as a tar archive that is not compressed. It is
written by "packvendor export", or by oras, regctl or skopeo. No network is
used. Names in a bundle are not believed: packs.lock says which digests are
wanted. Afterwards "packvendor --offline" vendors the packs, and other programs
that share the cache find them.

All packs are checked before the first is written. The exit code is 4 if one is
wrong. It is 1 if packs are neither in a bundle nor in the cache; the others are
imported.`,
		Example: `  packvendor import bundle.tar
  packvendor import --lock service/packs.lock bundle.tar`,
		Args:              arguments(1, -1, "BUNDLE..."),
		ValidArgsFunction: completeFiles(0, -1),
		RunE: func(command *cobra.Command, args []string) error {
			if io.Lock == "" && command.Flags().Changed("lock") {
				return usagef("--lock names no file")
			}
			o := c.options()
			if io.Lock == "" {
				var err error
				if o, err = c.oneProject(command); err != nil {
					return err
				}
			}
			io.Bundles = args
			imported, err := vendorer.Import(command.Context(), o, io)
			if imported == nil {
				return err
			}
			return c.reportImport(imported, len(args), err)
		},
	}
	c.fileFlag(command, "use `FILE` as packs.toml")
	c.jobsFlag(command)
	c.cacheDirFlag(command)
	command.Flags().StringVar(&io.Lock, "lock", "", "use `FILE` instead of the packs.lock of a project")
	return command
}

// importJSON is the document of import --json.
type importJSON struct {
	Packs   []importedPackJSON   `json:"packs"`             // those of packs.lock, by name
	Unnamed int                  `json:"unnamed,omitempty"` // packs of the bundles that packs.lock does not name
	Error   *problem.FailureJSON `json:"error,omitempty"`   // which packs are missing
}

type importedPackJSON struct {
	Name string `json:"name"` // of the pack in packs.lock
	*difference.LockedJSON
	State string `json:"state"` // imported, cached if it was in the cache, missing, skipped if the cache keeps another layer of its manifest, or file if packs.lock has a path
}

// reportImport reports the import of so many bundles.
func (c *cli) reportImport(imported *vendorer.Imported, bundles int, failed error) error {
	problems := c.explain(failed)
	doc := importJSON{Packs: []importedPackJSON{}, Unnamed: imported.Unnamed, Error: c.newFailureJSON(problems)}
	count := map[vendorer.ImportState]int{}
	var size int64
	for _, p := range imported.Packs {
		doc.Packs = append(doc.Packs, importedPackJSON{Name: p.Name, LockedJSON: difference.NewLockedJSON(p.Entry), State: string(p.State)})
		c.say.Detail("%s: %s", p.Name, p.State)
		count[p.State]++
		if p.State == vendorer.StateImported {
			size += p.Size
		}
	}
	if !c.json {
		text := phrase.Count(count[vendorer.StateImported], "pack") + " imported"
		if n := count[vendorer.StateCached]; n > 0 {
			text += fmt.Sprintf(", %d in the cache already", n)
		}
		if n := count[vendorer.StateFile]; n > 0 {
			text += ", " + fromFiles(n) + " passed over"
		}
		if size > 0 {
			text += "; " + phrase.Bytes(size)
		}
		if n := imported.Unnamed; n > 0 {
			where := "the bundles"
			if bundles == 1 {
				where = "the bundle"
			}
			c.say.Notice("%s does not name %s of %s", imported.Lock, phrase.Count(n, "pack"), where)
		}
		c.say.Notice("%s; %.1fs", text, c.elapsed().Seconds())
	}
	return c.end(outcome{problems: problems, document: doc})
}

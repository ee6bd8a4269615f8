package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/vendorer"
)

// distFormat is the only format of list besides the table.
const distFormat = "greentic-dist"

func (c *cli) listCommand() *cobra.Command {
	var format string
	command := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the packs of packs.toml",
		Long: `List the packs of packs.toml: name, version, range, size, pinned digest, and
whether the pack is vendored and in the shared cache. It hashes the files that
have the right size, and uses no network. It marks a version that the manifest
in the cache contradicts. A pack with a path is "from a file", and has no
version.

Where packs.lock has signers, it names them. The last line counts the packs that
may be unsigned: their rule in [trust.rules] of packs.toml has no signers.
"packvendor trust list" shows which these are. Rules of PACKVENDOR_TRUST do not
count here.

In the form greentic-dist it prints packs.lock for the program of that name, a
part of Greentic's Rust client. The program then fetches the manifests that
packs.lock has. A signature is in the output if the program would accept it: a
sigstore bundle for the manifest, by an Ed25519 key.`,
		Example: `  packvendor list
  packvendor list --format greentic-dist`,
		Args: c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("format") {
				return c.listForDist(command, format)
			}
			return c.eachProject(func(o vendorer.Options) error {
				list, err := vendorer.List(command.Context(), o)
				if err != nil {
					return err
				}
				return c.reportList(list)
			})
		},
	}
	c.projectsFlags(command)
	command.Flags().StringVar(&format, "format", "", "print packs.lock in another `FORM`: greentic-dist")
	command.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{distFormat}, cobra.ShellCompDirectiveNoFileComp))
	return command
}

// listForDist prints packs.lock for greentic-dist.
func (c *cli) listForDist(command *cobra.Command, format string) error {
	switch {
	case format != distFormat:
		return misuse(command, "--format knows %s alone, not %+q", distFormat, format)
	case c.json:
		return usagef("--format and --json exclude each other")
	}
	o, err := c.oneProject(command)
	if err != nil {
		return err
	}
	text, err := vendorer.FormatDistLock(command.Context(), o)
	if err != nil {
		return err
	}
	return c.print("%s", text)
}

// listJSON is the document of list --json.
type listJSON struct {
	Packs []listedJSON `json:"packs"` // those of packs.toml, by name
}

// listedJSON is a pack; vendored and cached are yes, no, changed, or - where the
// pack is not locked.
type listedJSON struct {
	Name    string `json:"name"`              // of the pack in packs.toml
	Ref     string `json:"ref"`               // the reference in packs.toml; empty if a file alone is the pack
	Path    string `json:"path,omitempty"`    // the file that the pack is, as packs.toml has it
	Version string `json:"version,omitempty"` // the range of versions in packs.toml
	Tag     string `json:"tag,omitempty"`     // of the reference, or the one that packs.lock has
	// ManifestVersion is the version that the manifest gives where the tag is another.
	ManifestVersion string `json:"manifest_version,omitempty"`
	Digest          string `json:"digest,omitempty"` // of the manifest or image index that is pinned or locked
	Size            *int64 `json:"size"`             // of the pack in bytes; null if the pack is not locked
	Vendored        string `json:"vendored"`         // whether the bytes that packs.lock names are in the data folder: yes, no, changed, or - if the pack is not locked
	Cached          string `json:"cached"`           // likewise, in the shared cache
	Signer          string `json:"signer,omitempty"` // who signed it, as packs.lock has it
	// SignerName is the name of that signer in packs.toml.
	SignerName string `json:"signer_name,omitempty"`
	// MayBeUnsigned tells that its rule in packs.toml has no signers.
	MayBeUnsigned bool `json:"may_be_unsigned,omitempty"`
}

func (c *cli) reportList(list []vendorer.Listed) error {
	doc := listJSON{Packs: []listedJSON{}}
	headings := []string{"NAME", "VERSION", "RANGE", "SIZE", "PINNED", "VENDORED", "CACHED"}
	isSigned := slices.ContainsFunc(list, func(l vendorer.Listed) bool { return l.Signer != "" })
	if isSigned {
		headings = append(headings, "SIGNER")
	}
	t := phrase.NewTable(headings...)
	exceptions := 0
	for _, l := range list {
		row := listedJSON{Name: l.Name, Ref: l.Ref, Path: l.Path, Version: l.Version, Tag: l.Tag, ManifestVersion: l.ManifestVersion, Digest: string(l.Digest), Vendored: string(l.Vendored), Cached: string(l.Cached), Signer: l.Signer, SignerName: l.SignerName, MayBeUnsigned: l.MayBeUnsigned}
		digest, size := "-", "-"
		if l.Digest != "" {
			digest = phrase.Digest(l.Digest)
		}
		if l.Path != "" {
			digest = "from a file"
		}
		if l.Size >= 0 {
			row.Size, size = &l.Size, phrase.Bytes(l.Size)
		}
		doc.Packs = append(doc.Packs, row)
		cells := []string{l.Name, phrase.WithVersion(phrase.OrDash(l.Tag), l.ManifestVersion), phrase.OrDash(l.Version), size, digest, string(l.Vendored), string(l.Cached)}
		if isSigned {
			cells = append(cells, phrase.OrDash(cmp.Or(l.SignerName, l.Signer)))
		}
		t.Add(cells...)
		if l.MayBeUnsigned {
			exceptions++
		}
	}
	if err := c.end(outcome{document: doc, before: t.String()}); err != nil || c.json {
		return err
	}
	if exceptions > 0 {
		c.say.Notice("%s%d of %s may be unsigned", c.say.About, exceptions, phrase.Count(len(list), "pack"))
	}
	return nil
}

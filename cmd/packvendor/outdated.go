package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/hint"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/cmd/packvendor/internal/problem"
	"github.com/greenticai/packvendor/vendorer"
)

func (c *cli) outdatedCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "outdated",
		Short: "Show which packs have newer versions",
		Long: `Show for each pack the pinned version, the version that "packvendor update"
would take, and the newest version. It changes nothing. The exit code is 1 if
"packvendor update" or "packvendor update --latest" would change something.
"1.3 MB to 1.4 MB" is the size now, and that of the version in UPDATE, or else
in NEWEST.

Where a rule in [trust.rules] has signers, "unsigned" stands beside a newer
version that none of them has signed yet: update refuses it. "signature unknown"
says that the registry did not answer everywhere; the exit code is then 3.`,
		Example: "  packvendor outdated",
		Args:    c.noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.eachProject(func(o vendorer.Options) error {
				outlooks, err := vendorer.Outdated(command.Context(), o)
				if outlooks == nil {
					return err
				}
				return c.reportOutdated(outlooks, err)
			})
		},
	}
	c.projectsFlags(command)
	return command
}

// outdatedJSON is the document of outdated --json.
type outdatedJSON struct {
	Packs []outlookJSON        `json:"packs"`           // those that could be looked up, by name
	Error *problem.FailureJSON `json:"error,omitempty"` // why the others could not
}

type outlookJSON struct {
	Name     string    `json:"name"`              // of the pack in packs.toml
	Ref      string    `json:"ref"`               // the reference in packs.toml; empty if a file alone is the pack
	Path     string    `json:"path,omitempty"`    // the file that the pack is; nothing newer is looked for
	Version  string    `json:"version,omitempty"` // the range of versions in packs.toml
	Pinned   *markJSON `json:"pinned"`            // the digest at present; null if it is neither pinned nor locked
	Update   *markJSON `json:"update"`            // what update would take; null if update would not change it
	Newest   *markJSON `json:"newest"`            // the newest version; null if a digest alone pins it
	Outdated bool      `json:"outdated"`          // whether some update would change it
	Signer   string    `json:"signer,omitempty"`  // who signed it, as packs.lock has it
	// SignerName is the name of that signer in packs.toml.
	SignerName string `json:"signer_name,omitempty"`
}

type markJSON struct {
	Tag    string `json:"tag,omitempty"`    // the tag
	Digest string `json:"digest,omitempty"` // the digest that it names, where that is known
	// Signature is signed or unsigned by the signers of the pack's rule, or unsearched if a
	// registry did not answer everywhere. It is there for newer versions whose rule has
	// signers.
	Signature string `json:"signature,omitempty"`
	// Size is that of the pack in bytes, where the pack is locked or its manifest is known.
	Size *int64 `json:"size,omitempty"`
}

// newMarkJSON returns nil of no version; a size of -1 is not known.
func newMarkJSON(m vendorer.TaggedDigest, signed vendorer.TrustResult, size int64) *markJSON {
	if m == (vendorer.TaggedDigest{}) {
		return nil
	}
	doc := &markJSON{Tag: m.Tag, Digest: string(m.Digest), Signature: string(signed)}
	if size >= 0 {
		doc.Size = &size
	}
	return doc
}

// newestSize is the size of the newest version; -1 if it is not known.
func newestSize(o vendorer.OutdatedPack) int64 {
	switch o.Newest {
	case o.Now:
		return o.Size
	case o.Update:
		return o.UpdateSize
	}
	return o.NewestSize
}

// sizeCell is a cell of the table: the size, and that of the version which update takes, or
// else update --latest.
func sizeCell(o vendorer.OutdatedPack) string {
	next := o.UpdateSize
	if o.Update == o.Now {
		next = newestSize(o)
	}
	switch {
	case o.Size < 0 && next < 0:
		return "-"
	case o.Size < 0:
		return "to " + phrase.Bytes(next)
	case next < 0:
		return phrase.Bytes(o.Size)
	}
	return phrase.Growth(o.Size, next, "to") // a table has ASCII alone
}

func (c *cli) reportOutdated(outlooks []vendorer.OutdatedPack, failed error) error {
	doc := outdatedJSON{Packs: []outlookJSON{}}
	headings := []string{"NAME", "PINNED", "UPDATE", "NEWEST", "SIZE"}
	isSigned := slices.ContainsFunc(outlooks, func(o vendorer.OutdatedPack) bool { return o.Signer != "" })
	if isSigned {
		headings = append(headings, "SIGNER")
	}
	t := phrase.NewTable(headings...)
	for _, o := range outlooks {
		update := o.Update
		if o.Update == o.Now {
			update = vendorer.TaggedDigest{}
		}
		cells := []string{o.Name, markText(o.Now, o.Now), markText(update, o.Now) + signedText(o.UpdateSigned), markText(o.Newest, o.Now) + signedText(o.NewestSigned), sizeCell(o)}
		if o.Path != "" {
			cells[1] = "from a file"
		}
		if isSigned {
			cells = append(cells, phrase.OrDash(cmp.Or(o.SignerName, o.Signer)))
		}
		t.Add(cells...)
		doc.Packs = append(doc.Packs, outlookJSON{
			Name: o.Name, Ref: o.Ref, Path: o.Path, Version: o.Version,
			Pinned: newMarkJSON(o.Now, "", o.Size), Update: newMarkJSON(update, o.UpdateSigned, o.UpdateSize), Newest: newMarkJSON(o.Newest, o.NewestSigned, newestSize(o)), Outdated: o.IsOutdated,
			Signer: o.Signer, SignerName: o.SignerName,
		})
	}
	problems := c.explain(failed)
	doc.Error = c.newFailureJSON(problems)
	o := outcome{problems: problems, document: doc, before: t.String()}
	if failed != nil || slices.ContainsFunc(outlooks, func(o vendorer.OutdatedPack) bool { return o.IsOutdated }) {
		o.kind = problem.Drift
		if !c.quiet || failed != nil { // else there is neither a warning nor an error that a hint belongs to
			o.hints = []hint.Hint{c.updateHint(outlooks, failed != nil)}
		}
	}
	return c.end(o)
}

// signedText follows a version in the table.
func signedText(signed vendorer.TrustResult) string {
	switch signed {
	case vendorer.TrustUnsigned:
		return " unsigned"
	case vendorer.TrustUnsearched:
		return " signature unknown"
	}
	return ""
}

// mayTake tells whether update takes a version, by its signature.
func mayTake(signed vendorer.TrustResult) bool {
	return signed == "" || signed == vendorer.TrustSigned
}

// updateHint is the command that takes the newer versions; none if there are none. If
// other packs failed, or have no signature yet, it names the packs: an update of all would
// fail too.
func (c *cli) updateHint(outlooks []vendorer.OutdatedPack, failed bool) hint.Hint {
	var compatible, latest []string
	failedLatest := failed
	for _, o := range outlooks {
		switch {
		case o.Update != o.Now && mayTake(o.UpdateSigned):
			compatible = append(compatible, o.Name)
		case o.IsOutdated && o.Newest != o.Update && o.Newest.Digest != "" && mayTake(o.NewestSigned):
			latest = append(latest, o.Name)
		}
		failed = failed || !mayTake(o.UpdateSigned)
		failedLatest = failedLatest || failed || !mayTake(o.NewestSigned)
	}
	words, names := []string{"update"}, compatible
	if len(compatible) == 0 {
		words, names, failed = []string{"update", "--latest"}, latest, failedLatest
	}
	switch {
	case len(names) == 0:
		return hint.Hint{}
	case failed:
		words = append(words, names...)
	}
	return c.say.Hints.Edit(words...)
}

// markText is a cell of the table: a tag, and if it is the current tag with another
// digest, that digest.
func markText(m, now vendorer.TaggedDigest) string {
	switch {
	case m == (vendorer.TaggedDigest{}):
		return "-"
	case m.Tag == "":
		return phrase.Digest(m.Digest)
	case m != now && m.Tag == now.Tag:
		return m.Tag + " " + phrase.Digest(m.Digest)
	}
	return m.Tag
}

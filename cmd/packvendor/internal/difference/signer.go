package difference

import (
	"strings"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer"
)

// nobody is the signer of a pack without one, beside one.
const nobody = "nobody"

// signerText is who signed a locked pack: of a key, the first digits.
func signerText(p lockfile.Entry) string { return shortSigner(p.Signer) }

func shortSigner(id string) string {
	digest, ok := strings.CutPrefix(id, "key:")
	if !ok {
		return id
	}
	return "key:" + phrase.Digest(ociref.Digest(digest))
}

// signerRows is the row of the signer, if that is another one, or is told for the first or
// the last time.
func signerRows(p vendorer.PackChange) []row {
	r := newRow("signer", p, signerText)
	if r.isSame() {
		return nil
	}
	if p.Kind == lockfile.Changed {
		if r.before == "" {
			r.before = nobody
		}
		if r.after == "" {
			r.after = nobody
		}
	}
	return []row{r}
}

// signerHeadline says how the signature of a pack changed, of which nothing else did.
func signerHeadline(p vendorer.PackChange) string {
	switch {
	case p.Old.Signer == p.New.Signer:
		return "has other evidence of the same signer"
	case p.New.Signer == "":
		return "is not signed any more"
	case p.Old.Signer == "":
		return "is signed now"
	}
	return "has another signer"
}

// trustLines are what a reviewer must not overlook: packs that nobody or somebody else has
// signed now, and how [trust] asks for less. Words of packs.toml and packs.lock are shown by
// show.
func trustLines(d *vendorer.Difference, show func(string) string) []string {
	var lost, other, lines []string
	for _, p := range d.Packs {
		before := show(shortSigner(p.Old.Signer))
		switch {
		case p.Old.Signer == "" || p.Old.Signer == p.New.Signer:
		case p.Kind == lockfile.Removed:
			other = append(other, show(p.Name)+" is removed; it was signed by "+before)
		case p.New.Signer == "":
			lost = append(lost, show(p.Name)+" lost its signer "+before)
		default:
			other = append(other, show(p.Name)+" has another signer: "+before+" → "+show(shortSigner(p.New.Signer)))
		}
	}
	names := func(list []string) string {
		var shown []string
		for _, name := range list {
			shown = append(shown, show(shortSigner(name)))
		}
		if shown == nil {
			return nobody
		}
		return strings.Join(shown, " or ")
	}
	for _, c := range d.Trust {
		name, change := show(c.Name), names(c.Before)+" → "+names(c.After)
		switch c.Kind {
		case vendorer.RuleDeleted:
			lines = append(lines, "the rule "+name+" is deleted; it asked for "+names(c.Before))
		case vendorer.RuleLoosened:
			lines = append(lines, "the rule "+name+" asks for others: "+change)
		case vendorer.ExceptionAdded:
			lines = append(lines, "the rule "+name+" is a new exception: its packs may be unsigned")
		case vendorer.SignerReplaced:
			lines = append(lines, "the signer "+name+" is another one: "+change)
		case vendorer.SignerRestored:
			lines = append(lines, "the signer "+name+" is good for more packs: it was retired")
		}
	}
	return append(append(lost, lines...), other...)
}

package vendorer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// loadOrganisation reads the policy of Options.Trust. dir is in the work tree at hand, whose
// authors the policy is to judge.
func (c *client) loadOrganisation(dir string) (err error) {
	c.organisation, err = policies.FromVariable(c.o.Trust)
	if err == nil && c.organisation != nil && isInTree(c.organisation.File, dir) {
		c.events.event(TrustInTree{File: c.organisation.File})
	}
	return err
}

// isInTree tells whether a file is in a tree around a folder, by its own path or by that of what
// it links to.
func isInTree(file, dir string) bool {
	return slices.ContainsFunc(treesAround(dir), func(top string) bool { return isBelow(file, top) })
}

// treesAround returns the folders around a folder whose files are in one pull request: the git
// work tree, with those of which it is a submodule, or else the module and its workspace.
func treesAround(dir string) (tops []string) {
	for _, dir := range bothNames(dir) {
		trees := git.WorkTrees(dir)
		if root, err := project.ModuleRoot(dir); err == nil && trees == nil {
			trees = append(trees, root)
			if work := project.NearestWork(root); work != "" {
				trees = append(trees, filepath.Dir(work))
			}
		}
		tops = append(tops, trees...)
	}
	return tops
}

// isBelow tells whether a file is below a folder, by their paths or by those without links.
func isBelow(file, top string) bool {
	for _, resolve := range []func(string) (string, error){filepath.Abs, filepath.EvalSymlinks} {
		at, fileErr := resolve(file)
		above, topErr := resolve(top)
		if errors.Join(fileErr, topErr) != nil {
			continue
		}
		if below, err := filepath.Rel(above, at); err == nil && filepath.IsLocal(below) {
			return true
		}
	}
	return false
}

// isInTreeOf is isInTree for one folder, which looks once at each file.
func isInTreeOf(dir string) func(file string) bool {
	var looked sync.Map
	return func(file string) bool {
		if known, ok := looked.Load(file); ok {
			return known.(bool)
		}
		in := isInTree(file, dir)
		looked.Store(file, in)
		return in
	}
}

// judgeByOrganisation judges the signature of a pack as it is, or will be, locked by the
// organisation's policy. packs.toml cannot loosen it. file is that of openEvidence.
func (s *session) judgeByOrganisation(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, file []byte) error {
	match, err := matchOf(s.organisation, pack, digestsOf(entry)...)
	if err != nil || match.IsException() {
		return err
	}
	e := &OverruledError{Name: entry.Name, File: s.p.Show(s.p.TOMLFile), Organisation: s.organisation.File, Rule: match.Rule, Signers: namesOf(match.Signers)}
	if entry.Signer == "" {
		return e
	}
	e.Signer = s.signerText(entry.Signer)
	if !maySign(match, entry) {
		return e
	}
	proof, err := s.openEvidence(entry, file)
	if err != nil { // that is no matter of the policy
		return err
	}
	signers := evidenceSigners(match.Allowed(entry.LayerDigest), pack.Reference, s.keylessBy(ctx, s.organisation.Root()))
	broken, err := prove(ctx, proof, s.claimOf(pack, entry), signers)
	if broken != nil {
		e.Err = broken
		return e
	}
	return err
}

// checkByOrganisation checks that somebody signed a pack of no project whom the organisation's
// policy lists for it, and returns who; nil if the policy demands no signature.
func (c *client) checkByOrganisation(ctx context.Context, pack *fetch.Resolved) (*trust.Signer, error) {
	if c.organisation == nil {
		return nil, nil
	}
	entry := entryOf(pack)
	match, err := c.organisation.Match(pack.Reference, digestsOf(entry)...)
	if err != nil || match.IsException() {
		return nil, err
	}
	found, err := c.searchSigner(ctx, pack, claimOf(entry), c.organisation, match.Rule, match.Allowed(entry.LayerDigest))
	var unsigned *UnsignedError
	if errors.As(err, &unsigned) {
		unsigned.File = c.organisation.File
	}
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", pack.Reference.Text(), err)
	}
	return found.Signer, nil
}

// searchSigner looks for a signature of a pack, by one of the signers of a policy.
func (c *client) searchSigner(ctx context.Context, pack *fetch.Resolved, claim evidence.Claim, policy *policies.Policy, rule string, signers []*trust.Signer) (*verdict.Found, error) {
	judge := verdict.New(toBeSigned(pack, claim, c.keylessBy(ctx, policy.Root())), signers)
	searched, err := c.SearchSignatures(ctx, pack, judge.Judge)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	found, err := judge.Result(searched)
	var unsigned *UnsignedError
	var unsearched *UnsearchedError
	switch {
	case errors.As(err, &unsigned):
		unsigned.Rule = rule
	case errors.As(err, &unsearched) && c.o.Offline:
		return nil, &fetch.OfflineError{Reference: pack.Reference.Name(), Signatures: true}
	}
	return found, err
}

// toBeSigned returns a pack as its signatures are judged.
func toBeSigned(pack *fetch.Resolved, claim evidence.Claim, verifier verdict.Keyless) verdict.Pack {
	return verdict.Pack{Reference: pack.Reference, Manifest: pack.Manifest(), Index: pack.Index(), Annotations: pack.Annotations, Claim: claim, Keyless: verifier}
}

// An OverruledError reports a pack that satisfies packs.toml, and not the organisation's
// policy.
type OverruledError struct {
	Name         string
	File         string // packs.toml
	Organisation string // the file of the policy
	Signer       string // who signed it; "" if nobody did
	Rule         string // of the policy
	Signers      []string
	Err          error // why the signature is not one of them; nil if they do not include the signer
}

func (e *OverruledError) Error() string {
	text := fmt.Sprintf("it satisfies %s, but not %s, which PACKVENDOR_TRUST names: ", e.File, e.Organisation)
	switch {
	case e.Signer == "":
		text += "no signature is locked"
	case e.Err != nil:
		text += e.Err.Error()
	default:
		text += "it is signed by " + e.Signer
	}
	return text + fmt.Sprintf("\n\trule %q: %s", e.Rule, strings.Join(e.Signers, " or "))
}

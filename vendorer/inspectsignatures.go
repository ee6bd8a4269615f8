package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// tableAtHand returns the table [trust] of the packs.toml at hand with its root; one without
// rules if the options name none and there is none.
func (o Options) tableAtHand(ctx context.Context) (*packsfile.Policy, []byte, error) {
	if o.file() == (Options{}).file() && !hasFile(o.file()) {
		return new(packsfile.Policy), nil, nil
	}
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, nil, err
	}
	defer s.close()
	return s.tableWithRoot()
}

// searchShown looks in every place for the signatures of a pack that is shown. It judges them by
// the rule of packs.toml if that has signers, else by the organisation's. The explanation's error
// is about a place that could not be searched: no rule is enforced here.
func (c *client) searchShown(ctx context.Context, policy *packsfile.Policy, root []byte, pack *fetch.Resolved, claim evidence.Claim) (*TrustExplanation, error) {
	e := newExplanation("", pack)
	digests := digestsOf(entryOf(pack))
	match, err := policy.Match(pack.Reference, digests...)
	if err != nil && policy.HasRules() {
		e.Result = TrustNoRule
	}
	if c.organisation != nil && match.IsException() {
		if theirs, err := c.organisation.Match(pack.Reference, digests...); err == nil && !theirs.IsException() {
			match, policy, e.RuleFile = theirs, new(packsfile.Policy), c.organisation.File
			root = c.organisation.Root()
		}
	}
	e.Rule, e.Signers = match.Rule, ruleSigners(match, e.Layer)
	if match.IsException() {
		policy = nil
	}
	f := signaturesFound{manifest: pack, subject: toBeSigned(pack, claim, c.keylessBy(ctx, root))}
	if err := c.searchAll(ctx, e, &f, policy, match); err != nil {
		return nil, err
	}
	if err := c.unsearched(f); err != nil && match.IsException() {
		e.Result, e.Err = TrustUnsearched, err
	}
	return e, nil
}

// isChecked tells whether signatures were looked for, and judged by a rule.
func (e *TrustExplanation) isChecked() bool { return e != nil && len(e.Signers) > 0 }

// searchVendored is searchShown for a vendored pack, whose manifest the registry may have to tell.
func (s *session) searchVendored(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry) (*TrustExplanation, error) {
	policy, root, err := s.tableWithRoot()
	if err != nil {
		return nil, err
	}
	found, err := s.resolveDigest(ctx, pack, entry, entry.Digest())
	if err != nil {
		return nil, err
	}
	return s.searchShown(ctx, policy, root, found, s.claimOf(pack, entryOf(found)))
}

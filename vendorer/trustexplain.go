package vendorer

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
)

// A TrustResult is what a search for signatures means for a pack.
type TrustResult string

const (
	TrustSigned     TrustResult = "signed"     // by a signer of its rule
	TrustUnsigned   TrustResult = "unsigned"   // by none of them, and every place was searched
	TrustUnsearched TrustResult = "unsearched" // by none of them so far: a place could not be searched
	TrustUnverified TrustResult = "unverified" // by none of them so far: a signature without a key was not verified
	TrustNoRule     TrustResult = "no-rule"    // there are rules, and none matches
	TrustNotAsked   TrustResult = "not-asked"  // nobody asks for a signature: there is no rule, or an exception
)

// A TrustExplanation says how [trust] judges a pack.
type TrustExplanation struct {
	Name       string // of the pack in packs.toml; "" for a reference
	Path       string // of the file that the pack is; "" if it is from a registry
	Reference  string
	Manifest   ociref.Digest
	Index      ociref.Digest // that lists the manifest; "" if none does
	Layer      ociref.Digest
	Locked     string           // who signed it as packs.lock has it, with the name; "" if nobody
	Rule       string           // that matches; "" if none does
	RuleFile   string           // that has the rule; "" is packs.toml
	Signers    []RuleSigner     // of the rule
	Candidates []TrustCandidate // in the order in which they were found
	Looked     []string         // a place each, and what it had
	Result     TrustResult
	By         string // the signer, if Result is TrustSigned
	// Organisation is how the file of Options.Trust judges the pack; nil if there is none.
	Organisation *OrganisationTrust
	Err          error // why there is no rule, or which place could not be searched
}

// A RuleSigner is a signer that a rule names.
type RuleSigner struct {
	Name    string
	Retired bool // and not good for this layer
}

// A TrustCandidate may be a signature of the pack.
type TrustCandidate struct {
	What    string // its digest, or its place
	Signer  string // the name of the signer by whom it is valid; "" if it is not
	Counts  bool   // the rule has the signer
	Verdict string // in words

	open error // why nobody knows whether it is valid
}

// ExplainTrust looks for the signatures of a pack of packs.toml, as it is locked or would be,
// or of any reference. It looks in every place, and changes nothing.
func ExplainTrust(ctx context.Context, o Options, what string) (*TrustExplanation, error) {
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.p.Unlock() // the rest is about registries
	policy, root, err := s.tableWithRoot()
	if err == nil {
		err = s.loadOrganisation(filepath.Join(s.p.Module, filepath.FromSlash(s.p.Base)))
	}
	if err != nil {
		return nil, err
	}
	pack, isPack := s.p.Config.Pack(what)
	if !isPack {
		ref, err := ociref.Parse(what)
		if err != nil {
			return nil, s.unknown(what)
		}
		pack = packsfile.Pack{Ref: what, Reference: ref}
	}
	if isPack {
		s.tellUnaskedSigners(policy, pack)
	}
	if pack.Path != "" {
		return s.explainFile(policy, pack), nil
	}
	found, err := s.resolveFor(ctx, pack, isPack)
	if err == nil {
		var e *TrustExplanation
		if e, err = s.explain(ctx, policy, root, pack, found); err == nil {
			return e, nil
		}
	}
	if isPack && ctx.Err() == nil {
		err = s.packError(pack, Resolve, nil, err)
	}
	return nil, err
}

// resolveFor finds the manifest of a pack, as it is locked or would be, or of a reference.
func (s *session) resolveFor(ctx context.Context, pack packsfile.Pack, isPack bool) (*fetch.Resolved, error) {
	if !isPack {
		return s.resolveAny(ctx, pack.Ref)
	}
	if entry, locked := s.lockedAs(pack); locked {
		return s.Resolve(ctx, pack.Reference.WithDigest(entry.Digest()), pack.Layer)
	}
	return s.resolvePack(ctx, pack)
}

// explainFile says how the rules judge a pack that is a file. There is nothing to search.
func (s *session) explainFile(policy *trust.Policy, pack packsfile.Pack) *TrustExplanation {
	e := &TrustExplanation{Name: pack.Name, Path: pack.Path, Reference: pack.Ref, Result: TrustNotAsked}
	if entry, ok := s.lockedAs(pack); ok {
		e.Layer = entry.LayerDigest
	}
	if policy.HasRules() {
		match, err := policy.MatchFile(pack.Name, pack.Reference)
		e.Rule, e.Signers = match.Rule, ruleSigners(match, e.Layer)
		e.Result, e.Err = resultOfFile(match, err), policies.InFile(err, s.p.Show(s.p.TOMLFile))
	}
	if s.organisation == nil {
		return e
	}
	match, err := s.organisation.MatchFile(pack.Name, pack.Reference)
	e.Organisation = &OrganisationTrust{File: s.organisation.File, Rule: match.Rule, Signers: ruleSigners(match, e.Layer), Result: resultOfFile(match, err)}
	e.Err = errors.Join(e.Err, err)
	return e
}

// resultOfFile is what a rule means for a pack that is a file; err says why there is none.
func resultOfFile(match trust.Match, err error) TrustResult {
	switch {
	case err != nil:
		return TrustNoRule
	case match.IsException():
		return TrustNotAsked
	}
	return TrustUnsigned
}

// newExplanation returns one of a pack whose signatures nobody asks for.
func newExplanation(name string, pack *fetch.Resolved) *TrustExplanation {
	return &TrustExplanation{
		Name: name, Reference: pack.Reference.Text(), Manifest: pack.ManifestDigest, Index: pack.IndexDigest,
		Layer: ociref.Digest(pack.Layer.Digest), Result: TrustNotAsked,
	}
}

// explain searches the signatures of a pack.
func (s *session) explain(ctx context.Context, policy *trust.Policy, root []byte, pack packsfile.Pack, found *fetch.Resolved) (*TrustExplanation, error) {
	e := newExplanation(pack.Name, found)
	if entry, ok := s.lockedAs(pack); ok && pack.Name != "" && entry.Signer != "" {
		e.Locked = signerText(policy.NameOf(entry.Signer), entry.Signer)
	}
	var match trust.Match
	if policy.HasRules() {
		var err error
		if match, err = policy.Match(found.Reference, digestsOf(entryOf(found))...); err != nil {
			e.Result, e.Err = TrustNoRule, policies.InFile(err, s.p.Show(s.p.TOMLFile))
		}
	}
	e.Rule = match.Rule
	e.Signers = ruleSigners(match, e.Layer)
	f := signaturesFound{pack: pack, manifest: found, subject: toBeSigned(found, s.claimOf(pack, entryOf(found)), s.keylessBy(ctx, root))}
	if err := s.searchAll(ctx, e, &f, policy, match); err != nil {
		return nil, err
	}
	return e, s.explainByOrganisation(ctx, e, policy, match, f)
}

// unchecked is the verdict on a candidate where no rule has signers.
const unchecked = "not checked"

// searchAll looks in every place for the signatures of f's pack, and says by a rule what they
// mean. A nil policy judges none.
func (c *client) searchAll(ctx context.Context, e *TrustExplanation, f *signaturesFound, policy *trust.Policy, match trust.Match) error {
	var err error
	f.searched, err = c.SearchSignatures(ctx, f.manifest, func(candidate referrers.Candidate) bool {
		found := TrustCandidate{What: candidate.String(), Verdict: unchecked}
		if policy != nil {
			found = judge(f.subject, match, policy, candidate, e.Layer)
		}
		e.Candidates = append(e.Candidates, found)
		f.candidates = append(f.candidates, candidate)
		return false
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	e.settle(f.searched, match)
	if e.Result == TrustUnsearched {
		e.Err = c.unsearched(*f)
	}
	return nil
}

// unsearched returns the error about a search that found no valid signature, and did not end;
// nil if it ended.
func (c *client) unsearched(f signaturesFound) error {
	incomplete, ok := f.searched.(*referrers.Incomplete)
	switch {
	case !ok:
		return nil
	case c.o.Offline:
		return &fetch.OfflineError{Reference: f.manifest.Reference.Name(), Signatures: true}
	}
	return &UnsearchedError{Err: incomplete}
}

// ruleSigners returns the signers of a rule, for a layer.
func ruleSigners(match trust.Match, layer ociref.Digest) []RuleSigner {
	var signers []RuleSigner
	for _, s := range match.Signers {
		signers = append(signers, RuleSigner{Name: s.Name, Retired: !s.Allows(layer)})
	}
	return signers
}

// judge says what a candidate is.
func judge(pack verdict.Pack, match trust.Match, policy *trust.Policy, c referrers.Candidate, layer ociref.Digest) TrustCandidate {
	candidate := TrustCandidate{What: c.String()}
	found, err := verdict.Prove(pack, match.Allowed(layer), c)
	if err == nil {
		candidate.Signer, candidate.Counts = found.Signer.Name, true
		candidate.Verdict = "signed by " + found.Signer.Name
		return candidate
	}
	candidate.Verdict, candidate.open = err.Error(), asUnverified(err)
	found, err = verdict.Prove(pack, policy.Signers(), c)
	if err != nil {
		return candidate
	}
	candidate.Signer = found.Signer.Name
	candidate.Verdict = "signed by " + candidate.Signer
	isOf := slices.ContainsFunc(match.Signers, func(s *trust.Signer) bool { return s.Name == candidate.Signer })
	switch {
	case isOf || !found.Signer.Allows(layer):
		candidate.Verdict += ", which is retired and not good for this layer"
	case !match.IsException():
		candidate.Verdict += ", which its rule does not have"
	}
	return candidate
}

// settle finds out what a search means.
func (e *TrustExplanation) settle(searched referrers.Result, match trust.Match) {
	for _, answer := range searched.Answers() {
		e.Looked = append(e.Looked, answer.String())
		for _, r := range answer.Refused {
			e.Candidates = append(e.Candidates, TrustCandidate{What: answer.Place.String(), Verdict: "refused: " + r.String()})
		}
	}
	if match.IsException() {
		return
	}
	for _, signer := range e.Signers { // the rule's order decides, as for a run
		for _, c := range e.Candidates {
			if c.Counts && c.Signer == signer.Name {
				e.Result, e.By = TrustSigned, signer.Name
				return
			}
		}
	}
	var open error
	for _, c := range e.Candidates {
		open = cmp.Or(open, c.open)
	}
	_, isIncomplete := searched.(*referrers.Incomplete)
	switch {
	case open != nil:
		e.Result, e.Err = TrustUnverified, open
	case isIncomplete:
		e.Result = TrustUnsearched // the caller adds the error
	default:
		e.Result = TrustUnsigned
	}
}

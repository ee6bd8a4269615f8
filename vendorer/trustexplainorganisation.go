package vendorer

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/referrers"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// An OrganisationTrust says how the file of Options.Trust judges a pack.
type OrganisationTrust struct {
	File    string
	Rule    string       // that matches; "" if none does
	Signers []RuleSigner // of the rule
	Result  TrustResult
	By      string // the signer's name in File, if Result is TrustSigned
	Refused string // why the signature that a run locks does not satisfy File; else ""
}

// signaturesFound is what a search for signatures has found.
type signaturesFound struct {
	pack       packsfile.Pack
	manifest   *fetch.Resolved
	subject    verdict.Pack
	candidates []referrers.Candidate
	searched   referrers.Result
}

// explainByOrganisation adds to an explanation how the organisation's policy judges the pack:
// by the signature that a run locks, as a run does. Where packs.toml asks for none, or finds
// none, any signature of a reference is good.
func (s *session) explainByOrganisation(ctx context.Context, e *TrustExplanation, policy *packsfile.Policy, rule trust.Match, f signaturesFound) error {
	if s.organisation == nil {
		return nil
	}
	o := &OrganisationTrust{File: s.organisation.File, Result: TrustNotAsked}
	e.Organisation = o
	match, err := s.organisation.Match(f.pack.Reference, digestsOf(entryOf(f.manifest))...)
	if err != nil {
		o.Result, e.Err = TrustNoRule, errors.Join(e.Err, err)
		return nil
	}
	o.Rule, o.Signers = match.Rule, ruleSigners(match, e.Layer)
	if match.IsException() {
		return nil
	}
	entry, file, isLocked := s.asRunLocks(e, rule, f)
	if !isLocked {
		if s.searchByOrganisation(ctx, e, f, match); o.Result == TrustUnsearched && e.Result != TrustUnsearched {
			e.Err = errors.Join(e.Err, s.unsearched(f))
		}
		return nil
	}
	err = s.judgeByOrganisation(ctx, f.pack, entry, file)
	var overruled *OverruledError
	var unverified *UnverifiedError
	switch {
	case errors.As(err, &unverified):
		o.Result, e.Err = TrustUnverified, errors.Join(e.Err, unverified)
		return nil
	case err == nil:
		o.Result, o.By = TrustSigned, s.organisation.SignerOf(entry.Signer)
		return nil
	case !errors.As(err, &overruled):
		return err
	}
	o.Result, o.Refused = TrustUnsigned, refusal(overruled, s.organisation.SignerOf(entry.Signer), policy.NameOf(entry.Signer))
	return nil
}

// asRunLocks returns the entry of packs.lock that a run has or writes, as far as signatures are
// concerned, and the evidence if it is not in the project. It returns false if a run writes
// none.
func (s *session) asRunLocks(e *TrustExplanation, rule trust.Match, f signaturesFound) (lockfile.Entry, []byte, bool) {
	if entry, ok := s.lockedAs(f.pack); ok && e.Name != "" && entry.Signer != "" {
		if _, err := s.p.ReadEvidence(entry.Name); !errors.Is(err, fs.ErrNotExist) {
			return entry, nil, true
		}
	}
	entry := entryOf(f.manifest)
	entry.Name = e.Name
	switch {
	case e.Result == TrustSigned:
		found, err := judgeAll(f, rule.Allowed(e.Layer))
		if err != nil {
			return entry, nil, false
		}
		entry.Signer, entry.Evidence = found.Signer.ID(), evidence.Digest(found.File)
		return entry, found.File, true
	case e.Result == TrustNotAsked && e.Name != "":
		return entry, nil, true
	}
	return entry, nil, false
}

// searchByOrganisation judges all candidates by the organisation's rule, as fetch and inspect
// do.
func (s *session) searchByOrganisation(ctx context.Context, e *TrustExplanation, f signaturesFound, match trust.Match) {
	f.subject.Keyless = s.keylessBy(ctx, s.organisation.Root())
	found, err := judgeAll(f, match.Allowed(e.Layer))
	var unsearched *UnsearchedError
	var unverified *UnverifiedError
	switch {
	case err == nil:
		e.Organisation.Result, e.Organisation.By = TrustSigned, found.Signer.Name
	case errors.As(err, &unverified):
		e.Organisation.Result = TrustUnverified
		if e.Result != TrustUnverified {
			e.Err = errors.Join(e.Err, &UnverifiedError{Err: unverified.Err})
		}
	case errors.As(err, &unsearched):
		e.Organisation.Result = TrustUnsearched
	default:
		e.Organisation.Result = TrustUnsigned
	}
}

// judgeAll returns the best proof by one of the signers, as a run would.
func judgeAll(f signaturesFound, signers []*trust.Signer) (*verdict.Found, error) {
	judge := verdict.New(f.subject, signers)
	for _, c := range f.candidates {
		judge.Judge(c)
	}
	return judge.Result(f.searched)
}

// refusal says why a signature does not satisfy the organisation's rule.
func refusal(e *OverruledError, nameThere, nameHere string) string {
	switch {
	case e.Signer == "":
		return "no signature is locked, since packs.toml asks for none"
	case e.Err != nil:
		return e.Err.Error()
	}
	return "signed by " + cmp.Or(nameThere, nameHere, e.Signer) + ", whom that rule does not have"
}

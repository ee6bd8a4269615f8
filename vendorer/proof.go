package vendorer

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// proveSigner proves, by its evidence alone, who signed the locked pack. Where a rule asks
// for a signature, it must be by one of the rule's signers. An *UnverifiedError leaves that
// open. file is that of openEvidence.
func (s *session) proveSigner(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, match trust.Match, file []byte) error {
	e, err := s.openEvidence(entry, file)
	if err != nil {
		return err
	}
	signers := evidenceSigners(match.Signers, pack.Reference, s.keylessBy(ctx, s.policy.Root()))
	if match.IsException() {
		signers = s.ownSigner(ctx, e, entry)
	} else if !maySign(match, entry) {
		return s.refused(entry, match)
	}
	broken, err := prove(ctx, e, s.claimOf(pack, entry), signers)
	if broken != nil {
		return s.evidenceError(entry, broken)
	}
	return err
}

// openEvidence opens the evidence of an entry: file, or the one in the project if that is nil.
func (s *session) openEvidence(entry lockfile.Entry, file []byte) (*evidence.Evidence, error) {
	if file == nil {
		var err error
		file, err = s.p.ReadEvidence(entry.Name)
		var long *LongFileError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &EvidenceMissingError{Name: entry.Name, Path: s.p.Show(s.p.EvidenceFile(entry.Name))}
		case errors.As(err, &long):
			return nil, s.evidenceError(entry, evidence.TooLong())
		case err != nil:
			return nil, err
		}
	}
	e, err := evidence.Open(file, entry.Evidence)
	if err != nil {
		return nil, s.evidenceError(entry, err)
	}
	return e, nil
}

// evidenceError returns the error about evidence that does not prove what an entry says.
func (s *session) evidenceError(entry lockfile.Entry, err error) error {
	return &EvidenceError{Name: entry.Name, Path: s.p.Show(s.p.EvidenceFile(entry.Name)), Err: err}
}

// prove proves a claim by evidence, with a signature by one of the signers. broken says why
// the evidence does not prove it. err leaves that open: it is an *UnverifiedError, or the cause
// of ctx's end.
func prove(ctx context.Context, e *evidence.Evidence, claim evidence.Claim, signers []evidence.Signer) (broken, err error) {
	_, broken = e.Prove(claim, signers)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if open := asUnverified(broken); open != nil {
		return nil, open
	}
	return broken, nil
}

// isOtherEvidence tells whether a file of evidence is not the one that is locked.
func isOtherEvidence(err error) bool {
	var link *evidence.Error
	return errors.As(err, &link) && link.Link == evidence.File
}

// bundledEvidence returns the locked evidence of an entry from a bundle, with LF; nil if none
// has it.
func (c *client) bundledEvidence(entry lockfile.Entry) []byte {
	for _, file := range c.BundledFiles(evidenceName(entry.Name), evidence.MaxFile+2) {
		e, err := evidence.Open(file, entry.Evidence)
		if err != nil {
			continue
		}
		if file, err := e.Bytes(); err == nil {
			return file
		}
	}
	return nil
}

// maySign tells whether a rule lets the locked signer sign the locked layer.
func maySign(match trust.Match, entry lockfile.Entry) bool {
	return slices.ContainsFunc(match.Allowed(entry.LayerDigest), func(s *trust.Signer) bool { return s.ID() == entry.Signer })
}

// refused returns the error about a locked signer that may not sign the pack.
func (s *session) refused(entry lockfile.Entry, match trust.Match) error {
	e := &SignerRefusedError{Name: entry.Name, Signer: s.signerText(entry.Signer), Rule: match.Rule, Signers: namesOf(match.Signers)}
	for _, signer := range match.Signers {
		e.Retired = e.Retired || signer.ID() == entry.Signer
	}
	return e
}

// ownSigner is the signer that evidence or packs.lock names, where no rule says who may sign,
// and which names its statements may have.
func (s *session) ownSigner(ctx context.Context, e *evidence.Evidence, entry lockfile.Entry) []evidence.Signer {
	own := evidence.Signer{ID: entry.Signer, MayName: func(ociref.Reference) bool { return true }}
	if len(e.Key) > 0 {
		key, err := publickey.ParseSPKI(e.Key)
		if err != nil {
			return nil // Prove says why
		}
		own.Key = key
	} else if signer := s.policy.Signer(entry.Signer); signer != nil {
		own.Provenance = signer.Workflow != nil
		own.Keyless = s.keyless.Signer(ctx, signer, s.policy.Root())
	} // else nobody says by what root
	return []evidence.Signer{own}
}

func evidenceSigners(signers []*trust.Signer, ours ociref.Reference, verifier verdict.Keyless) []evidence.Signer {
	var list []evidence.Signer
	for _, s := range signers {
		list = append(list, verdict.Signer(s, ours, verifier))
	}
	return list
}

// claimOf returns what the evidence of an entry has to prove, if the rules alone select the
// layer.
func claimOf(entry lockfile.Entry) evidence.Claim {
	return evidence.Claim{
		Signer: entry.Signer, Manifest: entry.ManifestDigest, Index: entry.IndexDigest,
		Layer: entry.LayerDigest, Size: entry.Size, MediaType: entry.MediaType,
	}
}

// claimOf returns what the evidence of an entry has to prove.
func (s *session) claimOf(pack packsfile.Pack, entry lockfile.Entry) evidence.Claim {
	claim := claimOf(entry)
	claim.Select, claim.Accept = pack.Layer, s.p.Config.AcceptMediaTypes
	return claim
}

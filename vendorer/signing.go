package vendorer

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/policies"
)

// loadTable reads the policy of packs.toml.
func (s *session) loadTable() (err error) {
	s.policy, err = s.table.Policy()
	return err
}

// loadPolicies reads the policies that judge the packs of the session.
func (s *session) loadPolicies() error {
	if err := s.loadTable(); err != nil {
		return err
	}
	return s.loadOrganisation(filepath.Join(s.p.Module, filepath.FromSlash(s.p.Base)))
}

// match returns the rule of packs.toml for a pack that is, or will be, locked as entry.
func (s *session) match(pack packsfile.Pack, entry lockfile.Entry) (trust.Match, error) {
	return matchOf(s.policy, pack, digestsOf(entry)...)
}

// A ruleBook has the rules of one table [trust].
type ruleBook interface {
	Match(ref ociref.Reference, digests ...ociref.Digest) (trust.Match, error)
	MatchFile(name string, ref ociref.Reference) (trust.Match, error)
}

// matchOf returns the rule of a table for a pack that has those digests.
func matchOf(rules ruleBook, pack packsfile.Pack, digests ...ociref.Digest) (trust.Match, error) {
	if pack.Path != "" {
		return rules.MatchFile(pack.Name, pack.Reference)
	}
	return rules.Match(pack.Reference, digests...)
}

// digestsOf returns the digests by which rules know a pack.
func digestsOf(entry lockfile.Entry) []ociref.Digest {
	if entry.IndexDigest != "" {
		return []ociref.Digest{entry.IndexDigest, entry.ManifestDigest}
	}
	return []ociref.Digest{entry.ManifestDigest}
}

// lacksSigner tells whether a pack is locked without a signature that a rule demands.
func (s *session) lacksSigner(pack packsfile.Pack, entry lockfile.Entry) bool {
	if s.policy == nil || entry.Signer != "" || pack.Path != "" { // a file never gets one
		return false
	}
	match, err := s.match(pack, entry)
	return err == nil && !match.IsException()
}

// settleSigner finds out who signed a pack as it will be locked: whom packs.lock has, if
// that holds, or whom a search finds. A run never drops a signer.
func (v *vendoring) settleSigner(ctx context.Context, t *task) error {
	if v.policy == nil && v.organisation == nil && !v.hasSigned {
		return nil
	}
	if err := v.findLockedSigner(ctx, t); err != nil {
		return err
	}
	if err := v.judgeByOrganisation(ctx, t.Pack, t.entry, t.evidence); err != nil {
		return err
	}
	return v.proveException(ctx, t)
}

// exceptions returns the exceptions that a pack is locked by, each for one manifest or index.
func (s *session) exceptions(pack packsfile.Pack, entry lockfile.Entry) []trust.Match {
	var found []trust.Match
	for _, policy := range []*policies.Policy{s.policy, s.organisation} {
		match, err := matchOf(policy, pack, digestsOf(entry)...)
		if err == nil && match.IsException() && match.Digest != "" && entry.Signer == "" {
			found = append(found, match)
		}
	}
	return found
}

// proveException proves that a pack which may be unsigned for its digest has the bytes of that
// digest. Else packs.lock alone would say so, and other bytes would need no signature.
func (v *vendoring) proveException(ctx context.Context, t *task) error {
	found := v.exceptions(t.Pack, t.entry)
	if len(found) == 0 {
		return nil
	}
	ofManifest := !slices.ContainsFunc(found, func(m trust.Match) bool { return m.Digest != t.entry.ManifestDigest })
	if ofManifest && t.pack == nil { // no need for the index, which no cache has
		_, err := v.resolveDigest(ctx, t.Pack, t.entry, t.entry.ManifestDigest)
		return err
	}
	_, err := v.manifestsOf(ctx, t)
	return err
}

// checkException is proveException without network. proven tells whether the manifest was in
// the cache, and has the layer.
func (s *session) checkException(t *task, proven bool) error {
	for _, match := range s.exceptions(t.Pack, t.Locked) {
		if match.Digest != t.Locked.ManifestDigest {
			// No cache has the index, and an unsigned pack has no evidence that holds it.
			return &ExceptionUnprovedError{Name: t.Pack.Name, Rule: match.Rule, Manifest: t.Locked.ManifestDigest}
		}
		if !proven {
			return &ExceptionUnprovedError{Name: t.Pack.Name, Rule: match.Rule}
		}
	}
	return nil
}

// findLockedSigner is settleSigner by packs.toml alone.
func (v *vendoring) findLockedSigner(ctx context.Context, t *task) error {
	match, err := v.match(t.Pack, t.entry)
	if err != nil {
		return err
	}
	t.entry.Signer, t.entry.Evidence = "", ""
	if t.Locked.Signer != "" && isSamePack(t.Locked, t.entry) {
		done, err := v.keepSigner(ctx, t, match)
		if done || err != nil {
			return err
		}
	}
	if match.IsException() {
		return v.loseSigner(t)
	}
	if t.Pack.Path != "" {
		return unsignedFile(t.Pack, match)
	}
	return v.lockSigner(ctx, t, match)
}

// isSamePack tells whether two entries have the same manifests and the same layer.
func isSamePack(a, b lockfile.Entry) bool {
	return a.IndexDigest == b.IndexDigest && a.ManifestDigest == b.ManifestDigest &&
		a.LayerDigest == b.LayerDigest && a.Size == b.Size && a.MediaType == b.MediaType
}

// keepSigner keeps the locked signer if the evidence proves it, and finds missing evidence
// again. It returns false if another signer has to be found.
func (v *vendoring) keepSigner(ctx context.Context, t *task, match trust.Match) (bool, error) {
	entry := t.entry
	entry.Signer, entry.Evidence = t.Locked.Signer, t.Locked.Evidence
	err := v.proveSigner(ctx, t.Pack, entry, match, nil)
	var bundled []byte
	var missing *EvidenceMissingError
	isMissing := errors.As(err, &missing)
	if isMissing || isOtherEvidence(err) {
		if bundled = v.bundledEvidence(entry); bundled != nil {
			err = v.proveSigner(ctx, t.Pack, entry, match, bundled)
		}
	}
	if v.mayLeaveOpen(t, entry, err) {
		v.leaveOpen(err)
		err = nil
	}
	var refused *SignerRefusedError
	switch {
	// Without the evidence, too: a run that was interrupted may have deleted it.
	case (err == nil || errors.As(err, &missing)) && match.IsException() && v.accepts(StaysSigned, entry.Name):
		t.tell(SignerChanged{SignerChange{Name: entry.Name, Was: v.signerText(entry.Signer)}})
		return true, nil
	case err == nil:
		t.entry = entry
		if bundled != nil {
			t.evidence = bundled
			t.tell(EvidenceRebuilt{Name: entry.Name, Path: v.p.Show(v.p.EvidenceFile(entry.Name)), Changed: !isMissing, Same: true})
		}
		return true, v.tellUnasked(entry, match)
	case errors.As(err, &missing):
		return true, v.rebuild(ctx, t, entry, match, false)
	case isOtherEvidence(err) && !match.IsException():
		// A run that was interrupted may have left it. Like another pack, it is replaced.
		if v.rebuild(ctx, t, entry, match, true) == nil {
			return true, nil
		}
		return true, err
	case errors.As(err, &refused) && t.Action == Resolve:
		return false, nil
	}
	return false, err
}

// tellUnasked reports a signer that no rule asks for. It is an error if packs.lock must not
// change: then nobody looks at warnings.
func (v *vendoring) tellUnasked(entry lockfile.Entry, match trust.Match) error {
	if !match.IsException() {
		return nil
	}
	if v.o.Locked {
		return &UnaskedSignerError{Name: entry.Name}
	}
	v.events.event(UnaskedSigner{Name: entry.Name})
	return nil
}

// signerText is the name that packs.toml has for a signer, and what packs.lock calls it.
func (s *session) signerText(id string) string {
	return signerText(s.policy.SignerOf(id), id)
}

func signerText(name, id string) string {
	if name == "" {
		return id
	}
	return name + " (" + id + ")"
}

func namesOf(signers []*trust.Signer) []string {
	var names []string
	for _, s := range signers {
		names = append(names, s.Name)
	}
	return names
}

// lockSigner looks for a signature by one of the rule's signers, and locks it.
func (v *vendoring) lockSigner(ctx context.Context, t *task, match trust.Match) error {
	found, err := v.findSigner(ctx, t, match.Rule, match.Allowed(t.entry.LayerDigest))
	var unsigned *UnsignedError
	if errors.As(err, &unsigned) {
		for _, signer := range match.Signers {
			if !signer.Allows(t.entry.LayerDigest) {
				unsigned.Retired = append(unsigned.Retired, signer.Name)
			}
		}
		if was := v.before(t); was.Signer != "" {
			unsigned.Was, unsigned.Back = v.signerText(was.Signer), v.wayBack(t, was)
		}
	}
	if err != nil {
		return err
	}
	t.lockFound(found)
	return v.continueSigner(t, match)
}

// wayBack is the tag that a pack was locked by before somebody wrote another one into
// packs.toml; "" if this run did that, which then writes nothing.
func (v *vendoring) wayBack(t *task, was lockfile.Entry) string {
	if v.edited != nil || t.Pack.Version != "" || was.Name != t.Pack.Name || was.AnyTag() == t.Pack.Reference.Tag ||
		!trust.SameRepository(was.Reference(), t.Pack.Reference) {
		return ""
	}
	return was.AnyTag()
}

func (t *task) lockFound(found *verdict.Found) {
	t.entry.Signer, t.entry.Evidence = found.Signer.ID(), evidence.Digest(found.File)
	t.evidence = found.File
}

// findSigner looks for a signature of the pack, by one of the signers. It may need the
// manifest again, and the index that no cache has.
func (v *vendoring) findSigner(ctx context.Context, t *task, rule string, signers []*trust.Signer) (*verdict.Found, error) {
	pack, err := v.manifestsOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return v.searchSigner(ctx, pack, v.claimOf(t.Pack, t.entry), v.policy, rule, signers)
}

// manifestsOf returns the pack of a task with the bytes of its manifest and index.
func (v *vendoring) manifestsOf(ctx context.Context, t *task) (*fetch.Resolved, error) {
	if p := t.pack; p != nil && p.Manifest() != nil && p.IndexDigest == t.entry.IndexDigest && (p.IndexDigest == "" || p.Index() != nil) {
		return p, nil
	}
	return v.resolveDigest(ctx, t.Pack, t.entry, t.entry.Digest())
}

// rebuild finds the evidence of a locked signer again, which is missing or changed. Other
// evidence is as good, and changes packs.lock.
func (v *vendoring) rebuild(ctx context.Context, t *task, entry lockfile.Entry, match trust.Match, changed bool) error {
	path := v.p.Show(v.p.EvidenceFile(entry.Name))
	if match.IsException() { // the key was in the evidence
		return &EvidenceMissingError{Name: entry.Name, Path: path, NoRule: true}
	}
	if !maySign(match, entry) {
		return v.refused(entry, match)
	}
	allowed := match.Allowed(entry.LayerDigest)
	slices.SortStableFunc(allowed, func(a, b *trust.Signer) int { return isOther(a, entry.Signer) - isOther(b, entry.Signer) })
	found, err := v.findSigner(ctx, t, match.Rule, allowed)
	if err != nil {
		return err
	}
	t.lockFound(found)
	isSame := t.entry.Evidence == entry.Evidence
	if v.o.Locked && !isSame {
		return &EvidenceMissingError{Name: entry.Name, Path: path, Other: true}
	}
	t.tell(EvidenceRebuilt{Name: entry.Name, Path: path, Changed: changed, Same: isSame})
	return nil
}

func isOther(s *trust.Signer, id string) int {
	if s.ID() == id {
		return 0
	}
	return 1
}

// checkSigner proves, without network, who signed a locked pack, and that its rule is met.
// That a signature is yet to be locked is not its matter.
func (s *session) checkSigner(ctx context.Context, t *task) error {
	if s.policy == nil && s.organisation == nil && t.Locked.Signer == "" {
		return nil
	}
	match, err := s.match(t.Pack, t.Locked)
	if err != nil {
		return err
	}
	if t.Pack.Path != "" && !match.IsException() {
		return unsignedFile(t.Pack, match)
	}
	if t.Locked.Signer != "" {
		err := s.proveSigner(ctx, t.Pack, t.Locked, match, nil)
		isOpen := match.IsException() && errors.Is(err, evidence.ErrKeyless) // nobody says by what root
		if err != nil && !isOpen {
			return err
		}
	}
	err = s.judgeByOrganisation(ctx, t.Pack, t.Locked, nil)
	if t.Locked.Signer != "" && match.IsException() {
		return errors.Join(err, &UnaskedSignerError{Name: t.Pack.Name})
	}
	return err
}

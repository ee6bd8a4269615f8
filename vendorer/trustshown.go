package vendorer

import (
	"github.com/greenticai/packvendor/packsfile"
)

// shownTable is the table [trust] for commands that only show what is locked. It returns nil if
// the table cannot be read: that is the matter of other commands.
func (s *session) shownTable() *packsfile.Policy {
	policy, err := s.table.Keys()
	if err != nil {
		return nil
	}
	return policy
}

// signerNames returns the names of signers by what packs.lock calls them.
func signerNames(policy *packsfile.Policy) map[string]string {
	names := map[string]string{}
	if policy != nil {
		for _, signer := range policy.Signers() {
			names[signer.ID()] = signer.Name
		}
	}
	return names
}

// mayBeUnsigned tells whether a pack's rule is an exception.
func (s *session) mayBeUnsigned(policy *packsfile.Policy, pack packsfile.Pack) bool {
	if policy == nil || !policy.HasRules() {
		return false
	}
	match, err := matchOf(policy, pack, s.knownDigests(pack)...)
	return err == nil && match.IsException()
}

// tellUnaskedSigners reports the packs that are locked with a signer whom no rule asks for. A stale
// entry is not among them.
func (s *session) tellUnaskedSigners(policy *packsfile.Policy, packs ...packsfile.Pack) {
	if policy == nil {
		return
	}
	for _, pack := range packs {
		entry, ok := s.lockedAs(pack)
		if !ok || entry.Signer == "" {
			continue
		}
		if match, err := matchOf(policy, pack, digestsOf(entry)...); err != nil || match.IsException() {
			s.events.event(UnaskedSigner{Name: pack.Name})
		}
	}
}

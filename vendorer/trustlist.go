package vendorer

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
)

// A TrustTable is the table [trust] of packs.toml, and what packs.lock has of it.
type TrustTable struct {
	Signers []ListedSigner // in the order of the file
	Rules   []ListedRule   // likewise
	// Unmatched are the names of packs that no rule matches; none without a rule.
	Unmatched []string
	// Strangers are those whom packs.lock has, and packs.toml has not.
	Strangers []Stranger
	// Organisation is the file of Options.Trust, whose rules hold as well; "" if there is none.
	Organisation string
}

// A ListedSigner is one of [trust.signers].
type ListedSigner struct {
	Name  string
	ID    string          // what packs.lock calls it
	Key   *SignerKey      // nil if it has none
	Only  []ociref.Digest // the layers for which it is good, sorted; nil for all
	Packs []string        // names of the packs that are locked as signed by it
}

// A ListedRule is one of [trust.rules].
type ListedRule struct {
	Key     string
	Signers []string // by name; none for an exception
	Packs   []string // names of the packs that it holds for
}

// A Stranger is a signer in packs.lock alone.
type Stranger struct {
	ID    string
	Packs []string
}

// ListTrust lists signers and rules. It verifies no signature, and uses no network.
func ListTrust(ctx context.Context, o Options) (*TrustTable, error) {
	s, err := open(ctx, o, true)
	if err != nil {
		return nil, err
	}
	defer s.close()
	policy, err := s.table.Keys()
	if err == nil {
		err = s.loadOrganisation(filepath.Join(s.p.Module, filepath.FromSlash(s.p.Base)))
	}
	if err != nil {
		return nil, err
	}
	list := &TrustTable{}
	if s.organisation != nil {
		list.Organisation = s.organisation.File
	}
	for _, signer := range policy.Signers() {
		l := ListedSigner{Name: signer.Name, ID: signer.ID(), Only: onlyOf(signer), Packs: s.signedBy(signer.ID())}
		if signer.Key != nil {
			key := newSignerKey(signer.Key, "")
			l.Key = &key
		}
		list.Signers = append(list.Signers, l)
	}
	list.Strangers = s.strangers(policy)
	s.listRules(list, policy)
	s.tellUnaskedSigners(policy, s.p.Config.Packs...)
	return list, nil
}

// onlyOf returns the layers for which a signer is good, sorted; nil for all.
func onlyOf(signer *trust.Signer) []ociref.Digest {
	var only []ociref.Digest
	for _, layer := range signer.Only {
		only = append(only, ociref.Digest(layer))
	}
	slices.Sort(only)
	return only
}

// tableWithRoot returns the table [trust] with its keys, and the root of signers without one.
func (s *session) tableWithRoot() (*packsfile.Policy, []byte, error) {
	policy, err := s.table.Keys()
	if err != nil {
		return nil, nil, err
	}
	root, err := s.table.Root()
	return policy, root, err
}

// signedBy returns the names of the packs that are locked with a signer.
func (s *session) signedBy(id string) []string {
	var names []string
	for _, entry := range s.p.Lock.Entries {
		if entry.Signer == id {
			names = append(names, entry.Name)
		}
	}
	return names
}

// strangers returns the signers in packs.lock that a policy does not have, in the order of
// their first packs.
func (s *session) strangers(policy *trust.Policy) []Stranger {
	var known []string
	for _, signer := range policy.Signers() {
		known = append(known, signer.ID())
	}
	var found []Stranger
	for _, entry := range s.p.Lock.Entries {
		if id := entry.Signer; id != "" && !slices.Contains(known, id) {
			known = append(known, id)
			found = append(found, Stranger{ID: id, Packs: s.signedBy(id)})
		}
	}
	return found
}

// listRules fills the rules of a list with the packs that each holds for.
func (s *session) listRules(list *TrustTable, policy *trust.Policy) {
	if !policy.HasRules() {
		return
	}
	packs := map[string][]string{}
	for _, pack := range s.p.Config.Packs {
		match, err := matchOf(policy, pack, s.knownDigests(pack)...)
		if err != nil {
			list.Unmatched = append(list.Unmatched, pack.Name)
			continue
		}
		packs[match.Rule] = append(packs[match.Rule], pack.Name)
	}
	for _, rule := range s.p.Config.Trust.Rules {
		list.Rules = append(list.Rules, ListedRule{Key: rule.Key, Signers: rule.Signers, Packs: packs[rule.Key]})
	}
}

// knownDigests returns the digests by which rules know a pack, as far as packs.lock or
// packs.toml has them.
func (s *session) knownDigests(pack packsfile.Pack) []ociref.Digest {
	if entry, ok := s.lockedAs(pack); ok {
		return digestsOf(entry)
	}
	if digest := pack.Reference.Digest; digest != "" {
		return []ociref.Digest{digest}
	}
	return nil
}

// lockedAs returns the entry of a pack, if it is not stale.
func (s *session) lockedAs(pack packsfile.Pack) (lockfile.Entry, bool) {
	entry, ok := s.p.Lock.Entry(pack.Name)
	return entry, ok && !isStale(pack, entry)
}

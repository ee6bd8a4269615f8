package vendorer

import (
	"context"
	"io"
	"path"
	"slices"

	"github.com/greenticai/packvendor/internal/regularfile"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/git"
)

// A TrustChangeKind is how a change of packs.toml makes [trust] ask for less, or trust others.
type TrustChangeKind string

const (
	RuleDeleted    TrustChangeKind = "rule-deleted"
	RuleLoosened   TrustChangeKind = "rule-loosened"   // other signers are good, or none is needed
	ExceptionAdded TrustChangeKind = "exception-added" // beside rules that were there
	SignerReplaced TrustChangeKind = "signer-replaced" // the name is that of another key or identity
	SignerRestored TrustChangeKind = "signer-restored" // is retired no more, or for more layers
)

// A TrustChange is a change of a rule or a signer that a reviewer must not overlook.
type TrustChange struct {
	Kind          TrustChangeKind
	Name          string   // the rule's key, or the signer's name
	Before, After []string // the signers of a rule, or what packs.lock calls a signer
}

// diffTrust compares the table [trust] of packs.toml with that of a revision. Where neither
// the old packs.lock nor the present packs.toml has anything of it, nothing is read.
func (s *session) diffTrust(ctx context.Context, rev *git.Revision, before *lockfile.Lock) ([]TrustChange, error) {
	isSigned := slices.ContainsFunc(before.Entries, func(e lockfile.Entry) bool { return e.Signer != "" })
	if s.p.Config.Trust == nil && !isSigned {
		return nil, nil
	}
	old, err := readAt(ctx, rev, path.Base(s.p.TOMLFile), packsfile.MaxSize)
	if err != nil {
		return nil, ctx.Err() // packs.toml was not there, or elsewhere
	}
	config, _ := packsfile.Parse(path.Base(s.p.TOMLFile), old)
	if config == nil || config.Trust == nil {
		return nil, nil
	}
	changes := diffRules(config.Trust, s.p.Config.Trust)
	was, err := config.Trust.Policy(func(file string) ([]byte, error) { return readAt(ctx, rev, file, packsfile.MaxKeyFile) })
	if err != nil {
		return changes, ctx.Err()
	}
	is, err := s.table.Keys()
	if err != nil {
		return nil, err
	}
	return append(changes, diffSigners(was, is)...), nil
}

// readAt reads a file beside packs.toml at a revision.
func readAt(ctx context.Context, rev *git.Revision, name string, limit int64) (data []byte, err error) {
	err = rev.Read(ctx, name, func(file io.Reader) error {
		data, err = regularfile.ReadAll(rev.Name+":"+name, file, 0, limit)
		return err
	})
	return data, err
}

func diffRules(was, is *packsfile.Trust) []TrustChange {
	present := map[string]packsfile.TrustRule{}
	var changes, exceptions []TrustChange
	if is != nil {
		for _, rule := range is.Rules {
			present[rule.Key] = rule
			if len(rule.Signers) == 0 && len(was.Rules) > 0 && !slices.ContainsFunc(was.Rules, func(r packsfile.TrustRule) bool { return r.Key == rule.Key }) {
				exceptions = append(exceptions, TrustChange{Kind: ExceptionAdded, Name: rule.Key})
			}
		}
	}
	for _, rule := range was.Rules {
		now, ok := present[rule.Key]
		change := TrustChange{Kind: RuleLoosened, Name: rule.Key, Before: rule.Signers, After: now.Signers}
		isNew := func(name string) bool { return !slices.Contains(rule.Signers, name) }
		switch {
		case !ok:
			change.Kind = RuleDeleted
			changes = append(changes, change)
		case len(rule.Signers) > 0 && (len(now.Signers) == 0 || slices.ContainsFunc(now.Signers, isNew)):
			changes = append(changes, change)
		}
	}
	return append(changes, exceptions...)
}

func diffSigners(was, is *trust.Policy) []TrustChange {
	var changes []TrustChange
	for _, before := range was.Signers() {
		for _, now := range is.Signers() {
			if now.Name != before.Name {
				continue
			}
			change := TrustChange{Kind: SignerReplaced, Name: now.Name, Before: []string{before.ID()}, After: []string{now.ID()}}
			switch {
			case before.ID() != now.ID():
				changes = append(changes, change)
			case before.IsRetired() && (!now.IsRetired() || slices.ContainsFunc(onlyOf(now), func(d packsfile.Digest) bool { return !before.Allows(d) })):
				change.Kind = SignerRestored
				changes = append(changes, change)
			}
		}
	}
	return changes
}

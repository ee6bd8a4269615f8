package vendorer

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/packsfile"
)

// searchNewer looks for the signatures that the rule of a pack asks for, of the newer versions
// that are shown. The error joins those of searches that found none and could not be ended.
func (s *session) searchNewer(ctx context.Context, pack packsfile.Pack, o *outlook) error {
	var errs [2]error
	if o.Update != o.Now {
		o.UpdateSigned, errs[0] = s.searchVersion(ctx, pack, o.Update, o.update)
	}
	switch o.Newest {
	case TaggedDigest{}, o.Now:
	case o.Update:
		o.NewestSigned = o.UpdateSigned
	default:
		o.NewestSigned, errs[1] = s.searchVersion(ctx, pack, o.Newest, o.newest)
	}
	return errors.Join(errs[:]...)
}

// searchVersion looks for a signature that the rule of a pack accepts. found is nil if only the
// tag is known.
func (s *session) searchVersion(ctx context.Context, pack packsfile.Pack, version TaggedDigest, found *fetch.Resolved) (TrustResult, error) {
	if s.policy == nil {
		return "", nil
	}
	if found == nil {
		match, err := s.policy.Match(pack.Reference)
		if err != nil || match.IsException() {
			return "", nil // a run says that there is no rule
		}
		if found, err = s.Resolve(ctx, pack.Reference.WithTag(version.Tag), pack.Layer); err != nil {
			return TrustUnsearched, err
		}
	}
	entry := entryOf(found)
	match, err := s.match(pack, entry)
	if err != nil || match.IsException() {
		return "", nil
	}
	_, err = s.searchSigner(ctx, found, s.claimOf(pack, entry), s.policy, match.Rule, match.Allowed(entry.LayerDigest))
	var unsigned *UnsignedError
	switch {
	case err == nil:
		return TrustSigned, nil
	case errors.As(err, &unsigned):
		return TrustUnsigned, nil
	}
	return TrustUnsearched, fmt.Errorf("%s: %w", pack.Reference.WithTag(version.Tag).Text(), err)
}

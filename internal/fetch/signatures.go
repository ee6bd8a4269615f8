package fetch

import (
	"context"

	"github.com/greenticai/packvendor/internal/referrers"
)

// Manifest returns the bytes of the manifest that holds the pack; nil if they are unknown.
func (p *Resolved) Manifest() []byte { return p.body }

// Index returns the bytes of the index that lists the manifest; nil if no index does, or if
// they are unknown.
func (p *Resolved) Index() []byte { return p.index }

// SearchSignatures looks for signatures of a pack whose manifest is known, until judge
// returns true: in the manifest, and in the pack's repository. Offline the manifest alone is
// searched, so the result is not complete.
func (f *Fetcher) SearchSignatures(ctx context.Context, p *Resolved, judge func(referrers.Candidate) bool) referrers.Result {
	subject := referrers.Subject{Manifest: p.body, Index: p.IndexDigest}
	if f.offline {
		return referrers.Search(ctx, nil, subject, nil, judge)
	}
	places := f.sources.Places(p.ref)
	return referrers.Search(ctx, places, subject, places.Repositories, judge)
}

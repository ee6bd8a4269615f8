package fetch

import (
	"context"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/referrers"
)

// Manifest returns the bytes of the manifest that holds the pack; nil if they are unknown.
func (p *Resolved) Manifest() []byte { return p.body }

// Index returns the bytes of the index that lists the manifest; nil if no index does, or if
// they are unknown.
func (p *Resolved) Index() []byte { return p.index }

// SearchSignatures looks for signatures of a pack whose manifest is known, until judge
// returns true: in the manifest, and in the repositories of all sources of the pack. Offline the
// manifest alone is searched, so the result is not complete.
//
// Errors: *sources.BlockedError, and those of reading the files of Options.Mirrors. No
// repository was searched then.
func (f *Fetcher) SearchSignatures(ctx context.Context, p *Resolved, judge func(referrers.Candidate) bool) (result referrers.Result, err error) {
	places := f.sources.Places(p.ref)
	result = referrers.Search(ctx, places, referrers.Subject{Manifest: p.body, Index: p.IndexDigest}, func() (list []ociref.Reference) {
		if !f.offline {
			list, err = places.Repositories()
		}
		return list
	}, judge)
	return result, err
}

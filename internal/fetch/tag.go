package fetch

import (
	"context"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Follow resolves ref's tag, whatever digest it has besides, and returns
// nil if it still names digest. One HEAD request shows that it does; that it
// does not is believed of a manifest only. layer and errors are those of
// Resolve.
func (f *Fetcher) Follow(ctx context.Context, ref ociref.Reference, digest ociref.Digest, layer string) (*Resolved, error) {
	ref = ref.WithTag(ref.Tag)
	if f.isUnchanged(ctx, ref, digest) {
		return nil, nil
	}
	pack, err := f.search(layer).resolve(ctx, ref)
	if err != nil || pack.Digest() == digest {
		return nil, err
	}
	return pack, nil
}

// isUnchanged tells whether one HEAD request shows that ref, a tag, isUnchanged digest.
func (f *Fetcher) isUnchanged(ctx context.Context, ref ociref.Reference, digest ociref.Digest) bool {
	if ref.Tag == "" || f.offline {
		return false
	}
	same, err := f.registry.Unchanged(ctx, ref, digest)
	return err == nil && same
}

// TagDigest is Follow for those who want to know what ref's tag names, whatever it
// is: it returns digest if it is still that, and else whether what it names now leads to
// a pack.
func (f *Fetcher) TagDigest(ctx context.Context, ref ociref.Reference, digest ociref.Digest, layer string) (now ociref.Digest, isPack bool, err error) {
	given := ref.Text()
	ref = ref.WithTag(ref.Tag)
	switch {
	case f.isUnchanged(ctx, ref, digest):
		return digest, true, nil
	case ref.Tag == "":
		return "", false, &InvalidReferenceError{Reference: given, Reason: "it has no tag"}
	case f.offline:
		return "", false, &OfflineError{Reference: ref.String(), Tag: true}
	}
	m, err := f.registry.Manifest(ctx, ref)
	if err != nil {
		return "", false, fmt.Errorf("cannot resolve %s: %w", ref, err)
	}
	unusable := f.search(layer).resolveManifest(ctx, &Resolved{ManifestDigest: m.Digest}, ref, m)
	return m.Digest, unusable == nil, nil
}

// Tags lists the tags of ref's repository, whatever tag or digest it has
// besides, in the order in which the registry gives them. Errors are those of
// Resolve.
func (f *Fetcher) Tags(ctx context.Context, ref ociref.Reference) ([]string, error) {
	if f.offline {
		return nil, &OfflineError{Reference: ref.Name(), Tags: true}
	}
	tags, err := f.registry.Tags(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("cannot list the tags of %s: %w", ref.Name(), err)
	}
	return tags, nil
}

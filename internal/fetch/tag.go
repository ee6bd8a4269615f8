package fetch

import (
	"context"
	"fmt"

	"github.com/greenticai/packvendor/internal/ociref"
)

// Follow resolves ref's tag, whatever digest ref has, and returns nil if the tag still
// names digest. The response to a HEAD request can show that it does; only a manifest can
// show that it does not. layer and errors are those of Resolve.
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

// isUnchanged tells whether a HEAD request shows that ref, a tag, names digest.
func (f *Fetcher) isUnchanged(ctx context.Context, ref ociref.Reference, digest ociref.Digest) bool {
	if ref.Tag == "" || f.offline {
		return false
	}
	same, err := f.sources.Unchanged(ctx, ref, digest)
	return err == nil && same
}

// TagDigest returns the digest that ref's tag names now, whatever digest ref has, and
// whether it leads to a pack. It expects digest, which one HEAD request can confirm.
func (f *Fetcher) TagDigest(ctx context.Context, ref ociref.Reference, digest ociref.Digest, layer string) (now ociref.Digest, isPack bool, err error) {
	given := ref.Text()
	ref = ref.WithTag(ref.Tag)
	switch {
	case f.isUnchanged(ctx, ref, digest):
		return digest, true, nil
	case ref.Tag == "":
		return "", false, &ociref.SyntaxError{Reference: given, Reason: "it has no tag"}
	case f.offline:
		return "", false, &OfflineError{Reference: ref.String(), Tag: true}
	}
	m, err := f.sources.Manifest(ctx, ref)
	if err != nil {
		return "", false, fmt.Errorf("cannot resolve %s: %w", ref, err)
	}
	unusable := f.search(layer).resolveManifest(ctx, &Resolved{ManifestDigest: m.Digest}, ref, m)
	return m.Digest, unusable == nil, nil
}

// Tags lists the tags of ref's repository, in the registry's order. Errors are those of
// Resolve.
func (f *Fetcher) Tags(ctx context.Context, ref ociref.Reference) ([]string, error) {
	if f.offline {
		return nil, &OfflineError{Reference: ref.Name(), Tags: true}
	}
	tags, err := f.sources.Tags(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("cannot list the tags of %s: %w", ref.Name(), err)
	}
	return tags, nil
}

package vendorer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
)

// versionAnnotation is where a manifest gives the version of what it holds:
// https://github.com/opencontainers/image-spec/blob/main/annotations.md
const versionAnnotation = "org.opencontainers.image.version"

// maxVersion bounds what is repeated of a version that a manifest gives, in bytes: no
// tag is longer.
const maxVersion = 128

// A TagMismatchError reports a version tag of packs.toml that does not name the digest
// which is pinned beside it: people read the one, and the other is used.
type TagMismatchError struct {
	Repository string
	Tag        string
	Pinned     ociref.Digest
	Now        ociref.Digest // what the tag names; "" if the registry does not have it
	IsPack     bool          // Now leads to a pack
	// Version is what the pinned manifest gives as its version, in anybody's words; ""
	// if it gives none.
	Version string
}

func (e *TagMismatchError) Error() string {
	pinned := string(e.Pinned)
	if e.Version != "" {
		pinned += ", whose manifest says " + versionText(e.Version)
	}
	if e.Now == "" {
		return fmt.Sprintf("version tag %s is not in the registry\n\tpinned: %s", e.Tag, pinned)
	}
	return fmt.Sprintf("version tag %s does not name the digest that is pinned\n\tpinned: %s\n\ttag:    %s", e.Tag, pinned, e.Now)
}

// versionText is what a manifest gives as its version, quoted unless it is one.
func versionText(version string) string {
	if _, ok := versions.Parse(version); ok && len(version) <= maxVersion {
		return version
	}
	return printable.Quote(version, maxVersion)
}

// otherVersion returns the version that a manifest's annotations give where tag is
// another one; else, or where one of the two is no version, "".
func otherVersion(tag string, annotations map[string]string) string {
	given := annotations[versionAnnotation]
	if len(given) > maxVersion {
		return ""
	}
	is, isVersion := versions.Parse(tag)
	says, saysVersion := versions.Parse(given)
	if !isVersion || !saysVersion || !is.IsNewerThan(says) && !says.IsNewerThan(is) {
		return ""
	}
	return given
}

// manifestVersion is otherVersion of an entry whose manifest is in the cache.
func (s *session) manifestVersion(entry lockfile.Entry) string {
	return s.versionBeside(lockedTag(entry), entry.ManifestDigest)
}

// versionBeside is otherVersion of a manifest that is in the cache.
func (s *session) versionBeside(tag string, manifest ociref.Digest) string {
	if _, isVersion := versions.Parse(tag); !isVersion || manifest == "" {
		return ""
	}
	return otherVersion(tag, s.CachedAnnotations(manifest))
}

// lockedTag is the tag of an entry's reference, or the one that was followed; "" if
// there is none.
func lockedTag(entry lockfile.Entry) string {
	return cmp.Or(entry.Reference().Tag, entry.Tag)
}

// checkPinnedTag asks the registry whether a version tag names the digest that is
// pinned beside it. found is what that digest led to.
func (s *session) checkPinnedTag(ctx context.Context, pack packsfile.Pack, found *fetch.Resolved) error {
	ref := pack.Reference
	if _, isVersion := versions.Parse(ref.Tag); !isVersion || ref.Digest == "" {
		return nil
	}
	now, isPack, err := s.TagDigest(ctx, ref, ref.Digest, pack.Layer)
	var registry *packfetch.RegistryError
	if err != nil && !(errors.As(err, &registry) && registry.IsNotFound()) {
		return err
	}
	if now == ref.Digest {
		return nil
	}
	return &TagMismatchError{
		Repository: ref.Name(), Tag: ref.Tag, Pinned: ref.Digest, Now: now, IsPack: isPack,
		Version: found.Annotations[versionAnnotation],
	}
}

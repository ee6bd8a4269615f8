package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/printable"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
)

// checkEntry checks that an entry of packs.lock contradicts neither itself nor
// packs.toml.
func (s *session) checkEntry(t *task) error {
	if err := t.Locked.Check(); err != nil {
		return err
	}
	if t.Locked.Path == "" && t.Pack.Layer == "" && !fetch.Accepts(t.Locked.MediaType, s.p.Config.AcceptMediaTypes) {
		return &InconsistentError{Name: t.Locked.Name, Field: "media_type", Got: t.Locked.MediaType, By: "no pack layer may have that type"}
	}
	return nil
}

// compare checks a locked entry against the pack of its manifest.
func compare(entry lockfile.Entry, pack *fetch.Resolved) error {
	if pack.ManifestDigest != entry.ManifestDigest {
		return &InconsistentError{
			Name: entry.Name, Field: "manifest_digest", Got: string(entry.ManifestDigest),
			By: "its index leads to", Want: string(pack.ManifestDigest),
		}
	}
	for _, field := range []struct{ name, locked, true string }{
		{"layer_digest", string(entry.LayerDigest), pack.Layer.Digest},
		{"size", fmt.Sprint(entry.Size), fmt.Sprint(pack.Layer.Size)},
		{"media_type", entry.MediaType, pack.Layer.MediaType},
	} {
		if field.locked != field.true {
			return &InconsistentError{Name: entry.Name, Field: field.name, Got: field.locked, By: "the manifest has", Want: field.true}
		}
	}
	return nil
}

// resolveDigest resolves the pack of an entry by the digest of its manifest or its index, and
// compares the two.
func (c *client) resolveDigest(ctx context.Context, pack packsfile.Pack, entry lockfile.Entry, digest ociref.Digest) (*fetch.Resolved, error) {
	found, err := c.Resolve(ctx, pack.Reference.WithDigest(digest), pack.Layer)
	if err != nil {
		return nil, asInconsistent(entry, err)
	}
	return found, compare(entry, found)
}

// asInconsistent turns an error about a locked manifest without a pack into an
// *InconsistentError.
func asInconsistent(entry lockfile.Entry, err error) error {
	var none *packfetch.NoPackError
	var index *packfetch.IndexError
	if errors.As(err, &none) || errors.As(err, &index) {
		return &InconsistentError{Name: entry.Name, Field: "manifest_digest", Got: string(entry.ManifestDigest), By: "that manifest holds no pack"}
	}
	return err
}

func isNotCached(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func lockedLayer(entry lockfile.Entry) fetch.Layer {
	return fetch.Layer{MediaType: entry.MediaType, Digest: string(entry.LayerDigest), Size: entry.Size}
}

// checkLocked checks, without network, the entry of a pack that stays as it is. proven
// tells whether the manifest was in the cache.
func (s *session) checkLocked(t *task) (proven bool, err error) {
	if err := s.checkEntry(t); err != nil || t.Locked.Path != "" {
		return false, err
	}
	pack, err := s.ResolveCached(t.Pack.Reference.WithDigest(t.Locked.ManifestDigest), t.Locked.ManifestDigest, t.Pack.Layer)
	switch {
	case isNotCached(err):
		return false, nil
	case err != nil:
		return false, asInconsistent(t.Locked, err)
	}
	return true, compare(t.Locked, pack)
}

// versionAnnotation is the annotation for the version of a manifest's content:
// https://github.com/opencontainers/image-spec/blob/main/annotations.md
const versionAnnotation = "org.opencontainers.image.version"

// maxVersion bounds a manifest's version in messages, in bytes: no tag is longer.
const maxVersion = 128

// A TagMismatchError reports a version tag of packs.toml that does not name the digest
// pinned beside it: people read the tag, and packvendor uses the digest.
type TagMismatchError struct {
	Repository string
	Tag        string
	Pinned     ociref.Digest
	Now        ociref.Digest // the tag's digest; "" if the registry has no such tag
	IsPack     bool          // Now leads to a pack
	// Version is the pinned manifest's version, in any text; "" if it gives none.
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

// versionText quotes a manifest's version unless it is a valid one.
func versionText(version string) string {
	if _, ok := versions.Parse(version); ok && len(version) <= maxVersion {
		return version
	}
	return printable.Quote(version, maxVersion)
}

// otherVersion returns the version in a manifest's annotations if it differs from tag;
// else, or if either is no version, "".
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

// manifestVersion is otherVersion for an entry whose manifest is in the cache.
func (s *session) manifestVersion(entry lockfile.Entry) string {
	return s.versionBeside(entry.AnyTag(), entry.ManifestDigest)
}

// versionBeside is otherVersion for a manifest in the cache.
func (s *session) versionBeside(tag string, manifest ociref.Digest) string {
	if _, isVersion := versions.Parse(tag); !isVersion || manifest == "" {
		return ""
	}
	return otherVersion(tag, s.CachedAnnotations(manifest))
}

// checkPinnedTag asks the registry whether a version tag names the digest pinned beside
// it. found is the pack of that digest.
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

package vendorer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// A TaggedDigest identifies a manifest or index by its digest and, if known, its tag.
type TaggedDigest struct {
	Tag    string
	Digest ociref.Digest
}

// A RetagError reports a version tag that names other bytes than the locked ones.
type RetagError struct {
	Repository  string
	Tag         string
	Locked, Now ociref.Digest
	// Version is the locked manifest's version if it differs from Tag: a reader may
	// then have written the wrong tag. Else it is "".
	Version string
	Wanted  string // the target's tag; "" if it had none
}

func (e *RetagError) Error() string {
	if e.Version != "" {
		return fmt.Sprintf("version tag %s does not name the digest that is locked\n\tlocked: %s, whose manifest says %s\n\tnow:    %s", e.Tag, e.Locked, e.Version, e.Now)
	}
	return fmt.Sprintf("version tag %s was pushed again\n\tlocked: %s\n\tnow:    %s", e.Tag, e.Locked, e.Now)
}

// A resolution holds a pack's present digest, and the one that an update takes.
type resolution struct {
	current TaggedDigest    // as pinned or locked; the zero value if neither
	wanted  string          // the target's tag; "" if it has none
	tag     string          // the tag to follow; "" if the pack never moves
	moved   *fetch.Resolved // the tag's pack if it differs from current; else nil
	// locked is the packs.lock entry under current's version tag; the zero value if
	// there is none.
	locked lockfile.Entry
}

// A follower finds the digests that tags name now. Its methods may be called
// concurrently.
type follower struct {
	*session
	latest      bool // take any newer version, not only a compatible one
	acceptRetag bool // follow version tags that were pushed again
}

// current returns the digest that packs.toml pins, or else the locked one unless its
// entry contradicts itself.
func (s *session) current(pack packsfile.Pack) TaggedDigest {
	if ref := pack.Reference; ref.Digest != "" {
		return TaggedDigest{Tag: ref.Tag, Digest: ref.Digest}
	}
	if entry, locked := s.p.Lock.Entry(pack.Name); locked && !isStale(pack, entry) && entry.Check() == nil {
		return TaggedDigest{Tag: entry.Tag, Digest: entry.Digest()}
	}
	return TaggedDigest{}
}

// follow resolves the tag that a pack follows; wanted, if not "", replaces that tag.
func (f *follower) follow(ctx context.Context, pack packsfile.Pack, wanted string) (r resolution, err error) {
	r.current, r.wanted = f.current(pack), wanted
	r.locked = f.lockedUnder(pack, r.current.Tag)
	if r.tag, err = tagpolicy.Choose(pack, wanted, f.latest, f.list(ctx, pack.Reference)); err != nil || r.tag == "" {
		return r, err
	}
	same, err := f.followSame(ctx, pack, r)
	if err != nil || r.tag == r.current.Tag && r.current.Digest != "" {
		r.moved = same
		return r, err
	}
	r.moved, err = f.Resolve(ctx, pack.Reference.WithTag(r.tag), pack.Layer)
	ref := pack.Reference
	ref.Tag = r.tag
	return r, withNearTags(ref, err, f.list(ctx, ref))
}

// lockedUnder returns the packs.lock entry of the pack's repository under a version
// tag. It returns the zero value if only packs.toml puts that tag beside a digest.
func (s *session) lockedUnder(pack packsfile.Pack, tag string) lockfile.Entry {
	entry, _ := s.p.Lock.Entry(pack.Name)
	_, isVersion := versions.Parse(tag)
	if !isVersion || entry.Reference().Name() != pack.Reference.Name() || entry.AnyTag() != tag {
		return lockfile.Entry{}
	}
	return entry
}

// followSame follows the pack's present tag. It refuses a version tag that was pushed
// again, even on the way to another version: whoever moves one tag moves others. It
// returns nil if the tag has not moved, or is gone and not wanted.
func (f *follower) followSame(ctx context.Context, pack packsfile.Pack, r resolution) (*fetch.Resolved, error) {
	guarded := r.locked.Name != "" && !f.acceptRetag
	if r.current.Tag == "" || r.current.Digest == "" || r.tag != r.current.Tag && !guarded {
		return nil, nil
	}
	moved, err := f.Follow(ctx, pack.Reference.WithTag(r.current.Tag), r.current.Digest, pack.Layer)
	var registry *packfetch.RegistryError
	if r.tag != r.current.Tag && errors.As(err, &registry) && registry.IsNotFound() {
		return nil, nil
	}
	if err == nil && moved != nil && guarded {
		err = f.checkRetag(pack, r, moved)
	}
	return moved, err
}

// checkRetag refuses moved if its version tag has other bytes in packs.lock.
func (f *follower) checkRetag(pack packsfile.Pack, r resolution, moved *fetch.Resolved) error {
	if f.isKnown(pack, r.locked, moved) {
		return nil
	}
	return &RetagError{
		Repository: pack.Reference.Name(), Tag: r.current.Tag,
		Locked: r.locked.Digest(), Now: moved.Digest(), Version: f.manifestVersion(r.locked), Wanted: r.wanted,
	}
}

// isKnown tells whether a consistent entry of packs.lock has the bytes of found.
func (f *follower) isKnown(pack packsfile.Pack, entry lockfile.Entry, found *fetch.Resolved) bool {
	_, err := f.checkLocked(&task{Step: Step{Pack: pack, Locked: entry}})
	return err == nil && string(entry.LayerDigest) == found.Layer.Digest
}

// withNearTags adds the nearest tags to err if the registry does not have ref's tag;
// list lists them.
func withNearTags(ref ociref.Reference, err error, list func() ([]string, error)) error {
	var answer *packfetch.RegistryError
	if ref.Tag == "" || !errors.As(err, &answer) || !answer.IsNotFound() {
		return err
	}
	tags, listErr := list()
	if listErr != nil || len(tags) == 0 || slices.Contains(tags, ref.Tag) {
		return err
	}
	return &NoTagError{Near: tagpolicy.Near(ref.Tag, tags), Total: len(tags), Err: err}
}

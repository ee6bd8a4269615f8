package vendorer

import (
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// A TaggedDigest is a manifest or index as a person knows it: by a tag, where one is
// known, and by its digest.
type TaggedDigest struct {
	Tag    string
	Digest ociref.Digest
}

// A RetagError reports a version tag that names other bytes than when it was
// locked.
type RetagError struct {
	Repository  string
	Tag         string
	Locked, Now ociref.Digest
	// Version is the version that the locked manifest gives where that is not Tag: then
	// it may be a reader who put that tag to it. Else it is "".
	Version string
	Wanted  string // the tag that the pack was to get; "" where none was named
}

func (e *RetagError) Error() string {
	if e.Version != "" {
		return fmt.Sprintf("version tag %s does not name the digest that is locked\n\tlocked: %s, whose manifest says %s\n\tnow:    %s", e.Tag, e.Locked, e.Version, e.Now)
	}
	return fmt.Sprintf("version tag %s was pushed again\n\tlocked: %s\n\tnow:    %s", e.Tag, e.Locked, e.Now)
}

// A resolution is where a pack stands, and where an update takes it.
type resolution struct {
	current TaggedDigest    // as pinned or locked; the zero value if it is neither
	wanted  string          // the tag that the pack is to get; "" where none was named
	tag     string          // the tag that is followed; "" if the pack never moves
	moved   *fetch.Resolved // what tag names, if that is not what now says; else nil
	// locked is what packs.lock has under the version tag of now; the zero value if it
	// has nothing under it.
	locked lockfile.Entry
}

// A follower finds out where the tags of packs lead. Its methods may be called
// concurrently.
type follower struct {
	*session
	latest      bool // any newer version will do, not only a compatible one
	acceptRetag bool // version tags that were pushed again are followed
}

// current is where a pack stands: what packs.toml pins, or else what is locked,
// unless that contradicts itself.
func (s *session) current(pack packsfile.Pack) TaggedDigest {
	if ref := pack.Reference; ref.Digest != "" {
		return TaggedDigest{Tag: ref.Tag, Digest: ref.Digest}
	}
	if entry, locked := s.p.Lock.Entry(pack.Name); locked && !isStale(pack, entry) && entry.Check() == nil {
		return TaggedDigest{Tag: entry.Tag, Digest: entry.Digest()}
	}
	return TaggedDigest{}
}

// follow finds out where a pack heads for; wanted, if not "", is the tag that it is
// to get.
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

// lockedUnder is what packs.lock has of the pack's repository under a version tag; the
// zero value if it has nothing under it: packs.toml may be the first to put that tag to a
// digest.
func (s *session) lockedUnder(pack packsfile.Pack, tag string) lockfile.Entry {
	entry, _ := s.p.Lock.Entry(pack.Name)
	_, isVersion := versions.Parse(tag)
	if !isVersion || entry.Reference().Name() != pack.Reference.Name() || lockedTag(entry) != tag {
		return lockfile.Entry{}
	}
	return entry
}

// followSame follows the tag that the pack has now, and refuses it if it is a
// version that was pushed again: also where another version is to be taken, since
// who moves one tag moves others. nil is one that has not moved, or is gone and
// not wanted.
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

// checkRetag refuses moved if its version tag was pushed again with other bytes than
// those that packs.lock has under it.
func (f *follower) checkRetag(pack packsfile.Pack, r resolution, moved *fetch.Resolved) error {
	if f.isKnown(pack, r.locked, moved) {
		return nil
	}
	return &RetagError{
		Repository: pack.Reference.Name(), Tag: r.current.Tag,
		Locked: r.locked.Digest(), Now: moved.Digest(), Version: f.manifestVersion(r.locked), Wanted: r.wanted,
	}
}

// isKnown tells whether an entry of packs.lock, which must be true of its manifest as far
// as that is at hand, has the bytes that were found.
func (f *follower) isKnown(pack packsfile.Pack, entry lockfile.Entry, found *fetch.Resolved) bool {
	_, err := f.checkLocked(&task{Step: Step{Pack: pack, Locked: entry}})
	return err == nil && string(entry.LayerDigest) == found.Layer.Digest
}

package vendorer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
)

// A Mark is a manifest or index as a person knows it: by a tag, where one is
// known, and by its digest.
type Mark struct {
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
	Wish    string // the tag that the pack was to get; "" where none was named
}

func (e *RetagError) Error() string {
	if e.Version != "" {
		return fmt.Sprintf("version tag %s does not name the digest that is locked\n\tlocked: %s, whose manifest says %s\n\tnow:    %s", e.Tag, e.Locked, e.Version, e.Now)
	}
	return fmt.Sprintf("version tag %s was pushed again\n\tlocked: %s\n\tnow:    %s", e.Tag, e.Locked, e.Now)
}

// A NoVersionError reports a range in which the repository has no version tag.
type NoVersionError struct {
	Repository string
	Range      string // "" where any version would do
	Newest     string // the newest version tag there is; "" if there is none
	Tags       []string
}

func (e *NoVersionError) Error() string {
	others := ""
	if len(e.Tags) > 0 {
		others = ", but " + listedTags(byInterest(e.Tags), len(e.Tags))
	}
	switch {
	case e.Range == "":
		return fmt.Sprintf("%s has no version tag%s: name a tag or a digest", e.Repository, others)
	case e.Newest == "":
		return fmt.Sprintf("%s has no version tag%s", e.Repository, others)
	}
	return fmt.Sprintf("%s has no version tag in the range %+q, the newest is %s", e.Repository, e.Range, e.Newest)
}

// A RangeError reports that a pack was to get a certain tag whose tag packs.toml
// chooses by a range.
type RangeError struct {
	Repository, Range, Tag string
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("its tag is chosen by version = %+q in packs.toml, so it cannot be %s", e.Range, e.Tag)
}

// A heading is where a pack stands, and where an update takes it.
type heading struct {
	now   Mark        // as pinned or locked; the zero value if it is neither
	tag   string      // the tag that is followed; "" if the pack never moves
	moved *fetch.Pack // what tag names, if that is not what now says; else nil
	// locked is what packs.lock has under the version tag of now; the zero value if it
	// has nothing under it.
	locked lockfile.Pack
}

// A follower finds out where the tags of packs lead. Its methods may be called
// concurrently.
type follower struct {
	*run
	latest      bool // any newer version will do, not only a compatible one
	acceptRetag bool // version tags that were pushed again are followed
}

// standing is where a pack stands: what packs.toml pins, or else what is locked,
// unless that contradicts itself.
func (r *run) standing(pack packsfile.Pack) Mark {
	if ref := pack.Reference; ref.Digest != "" {
		return Mark{Tag: ref.Tag, Digest: ref.Digest}
	}
	if entry, locked := r.p.Lock.Pack(pack.Name); locked && !isStale(pack, entry) && entry.Check() == nil {
		return Mark{Tag: entry.Tag, Digest: entry.Digest()}
	}
	return Mark{}
}

// follow finds out where a pack heads for; wish, if not "", is the tag that it is
// to get.
func (f *follower) follow(ctx context.Context, pack packsfile.Pack, wish string) (h heading, err error) {
	h.now = f.standing(pack)
	h.locked = f.lockedUnder(pack, h.now.Tag)
	if h.tag, err = f.choose(ctx, pack, wish); err != nil || h.tag == "" {
		return h, err
	}
	same, err := f.followSame(ctx, pack, h)
	var retag *RetagError
	if errors.As(err, &retag) {
		retag.Wish = wish
	}
	if err != nil || h.tag == h.now.Tag && h.now.Digest != "" {
		h.moved = same
		return h, err
	}
	h.moved, err = f.f.Resolve(ctx, pack.Reference.WithTag(h.tag), pack.Layer)
	ref := pack.Reference
	ref.Tag = h.tag
	return h, withNearTags(ref, err, func() ([]string, error) { return f.tags(ctx, ref) })
}

// lockedUnder is what packs.lock has of the pack's repository under a version tag; the
// zero value if it has nothing under it: packs.toml may be the first to put that tag to a
// digest.
func (r *run) lockedUnder(pack packsfile.Pack, tag string) lockfile.Pack {
	entry, _ := r.p.Lock.Pack(pack.Name)
	_, isVersion := versions.Parse(tag)
	if !isVersion || entry.Reference().Name() != pack.Reference.Name() || lockedTag(entry) != tag {
		return lockfile.Pack{}
	}
	return entry
}

// followSame follows the tag that the pack has now, and refuses it if it is a
// version that was pushed again: also where another version is to be taken, since
// who moves one tag moves others. nil is one that has not moved, or is gone and
// not wanted.
func (f *follower) followSame(ctx context.Context, pack packsfile.Pack, h heading) (*fetch.Pack, error) {
	guarded := h.locked.Name != "" && !f.acceptRetag
	if h.now.Tag == "" || h.now.Digest == "" || h.tag != h.now.Tag && !guarded {
		return nil, nil
	}
	moved, err := f.f.Follow(ctx, pack.Reference.WithTag(h.now.Tag), h.now.Digest, pack.Layer)
	var registry *packfetch.RegistryError
	if h.tag != h.now.Tag && errors.As(err, &registry) && registry.IsNotFound() {
		return nil, nil
	}
	if err == nil && moved != nil && guarded {
		err = f.checkRetag(pack, h, moved)
	}
	return moved, err
}

// checkRetag refuses moved if its version tag was pushed again with other bytes than
// those that packs.lock has under it.
func (f *follower) checkRetag(pack packsfile.Pack, h heading, moved *fetch.Pack) error {
	if f.isKnown(pack, h.locked, moved) {
		return nil
	}
	return &RetagError{
		Repository: pack.Reference.Name(), Tag: h.now.Tag,
		Locked: h.locked.Digest(), Now: moved.Digest(), Version: f.manifestVersion(h.locked),
	}
}

// isKnown tells whether an entry of packs.lock, which must be true of its manifest as far
// as that is at hand, has the bytes that were found.
func (f *follower) isKnown(pack packsfile.Pack, entry lockfile.Pack, found *fetch.Pack) bool {
	_, err := f.check(&item{Step: Step{Pack: pack, Locked: entry}})
	return err == nil && string(entry.LayerDigest) == found.Layer.Digest
}

// choose returns the tag that is followed, as SPEC's table of references has it;
// "" if the pack never moves.
func (f *follower) choose(ctx context.Context, pack packsfile.Pack, wish string) (string, error) {
	ref := pack.Reference
	switch {
	case pack.Version != "" && wish != "":
		return "", &RangeError{Repository: ref.Name(), Range: pack.Version, Tag: wish}
	case pack.Version != "":
		return f.newestInRange(ctx, pack)
	case wish != "":
		return wish, nil
	}
	pinned, isVersion := versions.Parse(ref.Tag)
	if ref.Digest == "" || !isVersion {
		return ref.Tag, nil
	}
	tags, err := f.tags(ctx, ref)
	if err != nil {
		return "", err
	}
	newer, _ := versions.Newest(tags, func(v versions.Version) bool {
		return v.IsNewerThan(pinned) && (f.latest || v.IsCompatibleWith(pinned)) && mayFollow(v, ref.Tag)
	})
	return cmp.Or(newer.String(), ref.Tag), nil
}

// mayFollow tells whether v may be taken where tag is what is there: a
// pre-release only follows a pre-release.
func mayFollow(v versions.Version, tag string) bool {
	now, isVersion := versions.Parse(tag)
	return !v.IsPrerelease() || isVersion && now.IsPrerelease()
}

// newestInRange returns the newest version tag in the pack's range.
func (r *run) newestInRange(ctx context.Context, pack packsfile.Pack) (string, error) {
	tags, err := r.tags(ctx, pack.Reference)
	if err != nil {
		return "", err
	}
	newest, found := versions.Newest(tags, pack.Range.Contains)
	if !found {
		any, _ := versions.Newest(tags, func(versions.Version) bool { return true })
		return "", &NoVersionError{Repository: pack.Reference.Name(), Range: pack.Version, Newest: any.String(), Tags: tags}
	}
	return newest.String(), nil
}

// newestVersion returns the newest version tag of a repository, a pre-release
// only if there is no other.
func (r *run) newestVersion(ctx context.Context, ref ociref.Reference) (string, error) {
	tags, err := r.tags(ctx, ref)
	if err != nil {
		return "", err
	}
	return newestOf(ref.Name(), tags)
}

// tags lists the tags of a repository, once a run.
func (r *run) tags(ctx context.Context, ref ociref.Reference) ([]string, error) {
	return r.listed.Do(ctx, ref.Name(), func(ctx context.Context) ([]string, error) { return r.f.Tags(ctx, ref) })
}

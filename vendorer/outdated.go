package vendorer

import (
	"context"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// An OutdatedPack is a pack with its present and newer digests.
type OutdatedPack struct {
	Name    string
	Ref     string // as packs.toml has it
	Version string // likewise; "" without a range
	// Path is the file that the pack is, as packs.toml has it. Nothing newer is looked for.
	Path string
	// Now is the pinned or locked digest; the zero value if neither.
	Now TaggedDigest
	// Update is the digest that Update takes: Now if there is no newer one to take.
	Update TaggedDigest
	// Newest is the newest version, even if Update does not take it. Its digest is only
	// known if some Update would take it. It is the zero value if a digest alone pins
	// the pack: Outdated then reads no tags.
	Newest TaggedDigest
	// UpdateSigned and NewestSigned say whether Update and Newest have a signature that the
	// pack's rule accepts: TrustSigned, TrustUnsigned, or TrustUnsearched if a place could not
	// be searched. They are "" for Now, and where no rule asks for a signature.
	UpdateSigned, NewestSigned TrustResult
	// Size is that of the locked pack, in bytes; -1 if the pack is not locked. UpdateSize and
	// NewestSize are those of Update and Newest where these are newer and their manifest is known;
	// else -1.
	Size, UpdateSize, NewestSize int64
	// IsOutdated tells whether some Update would change anything.
	IsOutdated bool
	// Signer is who signed the pack as packs.lock has it; "" if nobody. SignerName is the
	// signer's name in packs.toml; "" if it has none.
	Signer, SignerName string
}

// Outdated finds newer versions, and changes nothing. It returns the packs by name. The
// packs are not nil if some have an error: they are then the packs that could be looked up,
// and the error joins those of the others and of the searches for signatures.
func Outdated(ctx context.Context, o Options) ([]OutdatedPack, error) {
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.loadTable(); err != nil {
		return nil, err
	}
	policy := s.shownTable()
	signers := signerNames(policy)
	s.tellUnaskedSigners(policy, s.p.Config.Packs...)
	s.p.Unlock() // the rest is about registries
	var steps []Step
	for _, pack := range s.p.Config.Packs {
		steps = append(steps, Step{Pack: pack, Action: Resolve})
	}
	if err := s.checkBlocked(steps, func(step Step) bool { return hasTags(step.Pack) && !o.Offline }); err != nil {
		return nil, err
	}
	found := make([]*OutdatedPack, len(s.p.Config.Packs))
	var places []int
	for i := range s.p.Config.Packs {
		places = append(places, i)
	}
	err = eachPack(ctx, s.client, PhaseResolving, places, func(ctx context.Context, i int) error {
		pack := s.p.Config.Packs[i]
		if pack.Path != "" {
			found[i] = &OutdatedPack{Name: pack.Name, Ref: pack.Ref, Version: pack.Version, Path: pack.Path, Size: s.lockedSize(pack), UpdateSize: -1, NewestSize: -1}
			return nil
		}
		outlook, err := s.outdated(ctx, pack)
		if err == nil {
			err = s.searchNewer(ctx, pack, outlook)
			if entry, ok := s.lockedAs(pack); ok {
				outlook.Signer, outlook.SignerName = entry.Signer, signers[entry.Signer]
			}
			found[i] = &outlook.OutdatedPack
		}
		if err != nil {
			return s.packError(pack, Resolve, nil, err)
		}
		return nil
	})
	if ctx.Err() != nil {
		return nil, err
	}
	outlooks := []OutdatedPack{}
	for _, outlook := range found {
		if outlook != nil {
			outlooks = append(outlooks, *outlook)
		}
	}
	return outlooks, mergeTagErrors("outdated", err)
}

// An outlook is an OutdatedPack with the manifests of its newer versions; nil if they are
// unknown.
type outlook struct {
	OutdatedPack
	update, newest *fetch.Resolved
}

func (s *session) outdated(ctx context.Context, pack packsfile.Pack) (*outlook, error) {
	o, err := s.outlookOf(ctx, pack)
	if err != nil {
		return nil, err
	}
	o.Size, o.UpdateSize, o.NewestSize = s.lockedSize(pack), newSize(o.update), newSize(o.newest)
	return o, nil
}

// outlookOf returns an outlook without sizes.
func (s *session) outlookOf(ctx context.Context, pack packsfile.Pack) (*outlook, error) {
	h, err := (&follower{session: s}).follow(ctx, pack, "")
	if err != nil {
		return nil, err
	}
	o := &outlook{OutdatedPack: OutdatedPack{Name: pack.Name, Ref: pack.Ref, Version: pack.Version, Now: h.current, Update: h.target()}, update: h.moved}
	if h.tag == "" {
		return o, nil
	}
	o.Newest = o.Update
	o.IsOutdated = o.Update != o.Now
	_, isVersion := versions.Parse(pack.Reference.Tag)
	switch isPin := pack.Reference.Digest != ""; {
	case isVersion && isPin:
		o.Newest, o.newest, err = s.latest(ctx, pack, o.Update)
		o.IsOutdated = o.IsOutdated || o.Newest != o.Now
	case isVersion, pack.Version != "":
		o.Newest, err = s.newestInRepository(ctx, pack, o.Update)
	}
	return o, err
}

// lockedSize returns the size that packs.lock has of a pack; -1 if the pack is not locked.
func (s *session) lockedSize(pack packsfile.Pack) int64 {
	if entry, ok := s.lockedAs(pack); ok {
		return entry.Size
	}
	return -1
}

// newSize returns the size of a newer version; -1 if its manifest is not known.
func newSize(pack *fetch.Resolved) int64 {
	if pack == nil {
		return -1
	}
	return pack.Layer.Size
}

// target returns the digest that an update takes.
func (h resolution) target() TaggedDigest {
	if h.moved == nil {
		return h.current
	}
	return TaggedDigest{Tag: h.tag, Digest: h.moved.Digest()}
}

// latest returns the version that UpdateOptions.Latest takes for a pack pinned to a
// version tag; compatible is the one that Update takes without it.
func (s *session) latest(ctx context.Context, pack packsfile.Pack, compatible TaggedDigest) (TaggedDigest, *fetch.Resolved, error) {
	tag, err := tagpolicy.Choose(pack, "", true, s.list(ctx, pack.Reference))
	if err != nil || tag == compatible.Tag {
		return compatible, nil, err
	}
	h, err := (&follower{session: s, latest: true, acceptRetag: true}).follow(ctx, pack, "")
	return h.target(), h.moved, err
}

// newestInRepository returns the newest version of the repository of a pack that
// follows a range or a version tag.
func (s *session) newestInRepository(ctx context.Context, pack packsfile.Pack, taken TaggedDigest) (TaggedDigest, error) {
	tags, err := s.list(ctx, pack.Reference)()
	if err != nil {
		return TaggedDigest{}, err
	}
	if newer := tagpolicy.NewerThan(taken.Tag, tags); newer != "" {
		return TaggedDigest{Tag: newer}, nil
	}
	return taken, nil
}

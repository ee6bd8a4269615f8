package vendorer

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/Masterminds/semver/v3"

	"github.com/greenticai/packvendor/internal/nearest"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
)

// Update follows the tags of the named packs, or of all if there are no names,
// and vendors. A pack pinned as repository:tag@digest gets the new digest in
// packs.toml too. A version tag that was pushed again is a *RetagError unless
// acceptRetag is set; one refused pack changes nothing for any.
func Update(ctx context.Context, o Options, names []string, acceptRetag bool) (*Report, error) {
	r, err := start(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer r.close()
	packs, err := r.choose(names)
	if err != nil {
		return nil, err
	}
	u := &updating{run: r, named: len(names) > 0, acceptRetag: acceptRetag, refs: map[string]string{}}
	if err := eachPack(ctx, r, packs, u.follow); err != nil {
		return nil, err
	}
	if len(u.refs) > 0 {
		if err := r.edit(u.refs, false); err != nil {
			return nil, err
		}
	}
	return r.vendor(ctx)
}

// choose returns the packs with those names, all if there are none.
func (r *run) choose(names []string) ([]packsfile.Pack, error) {
	if len(names) == 0 {
		return r.p.config.Packs, nil
	}
	var packs []packsfile.Pack
	var errs []error
	for _, name := range names {
		pack, ok := r.p.config.Pack(name)
		if !ok {
			errs = append(errs, &UnknownPackError{File: r.p.show(r.p.tomlFile), Name: name, Near: similar(name, r.p.config.Packs)})
		}
		packs = append(packs, pack)
	}
	return packs, errors.Join(errs...)
}

// updating is what an update finds out before it vendors.
type updating struct {
	*run
	named       bool // the packs were named
	acceptRetag bool

	mu   sync.Mutex
	refs map[string]string // packs' new references in packs.toml
}

// follow finds out where a pack's tag leads now.
func (u *updating) follow(ctx context.Context, pack packsfile.Pack) error {
	if err := u.followTag(ctx, pack); err != nil {
		return u.packError(pack, Resolve, nil, err)
	}
	return nil
}

func (u *updating) followTag(ctx context.Context, pack packsfile.Pack) error {
	entry, locked := u.p.lock.Pack(pack.Name)
	before := pack.Reference.Digest
	if before == "" && locked && !isStale(pack, entry) {
		before = entry.Digest()
	}
	if pack.Reference.Tag != "" && before != "" {
		moved, err := u.f.Follow(ctx, pack.Ref, before, pack.Layer)
		if err != nil {
			return err
		}
		if moved != nil {
			return u.move(pack, before, moved)
		}
	}
	// It did not move, but an entry that lies is not left as it is, nor one of a
	// named pack that only the registry could prove.
	if !locked {
		return nil
	}
	proven, err := u.check(&item{Step: Step{Pack: pack, Locked: entry}})
	if err != nil || u.named && !proven {
		u.mark(pack.Name)
	}
	return nil
}

// move takes what a pack's tag names now.
func (u *updating) move(pack packsfile.Pack, before ociref.Digest, moved *packfetch.Pack) error {
	ref := pack.Reference
	if isVersionTag(ref.Tag) && !u.acceptRetag {
		return &RetagError{Tag: ref.Tag, Locked: before, Now: moved.Digest()}
	}
	u.mark(pack.Name)
	u.mu.Lock()
	defer u.mu.Unlock()
	if ref.Digest == "" {
		moved.Reference = pack.Ref
		u.resolved[pack.Name] = moved
		return nil
	}
	pinned := u.keepResolved(pack.Name, ref, moved)
	u.refs[pack.Name] = schemeOf(pack.Ref) + pinned.String()
	return nil
}

// schemeOf keeps a reference in the words that packs.toml has chosen.
func schemeOf(ref string) string {
	if strings.HasPrefix(ref, "oci://") {
		return "oci://"
	}
	return ""
}

func (u *updating) mark(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.update[name] = true
}

// isVersionTag tells whether a tag reads as a version: v?X.Y.Z[-pre][+build],
// strict semantic versioning after the v.
func isVersionTag(tag string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(tag, "v"))
	return err == nil
}

// similar returns the pack whose name is most like name, "" if none is.
func similar(name string, packs []packsfile.Pack) string {
	var names []string
	for _, pack := range packs {
		names = append(names, pack.Name)
	}
	return nearest.Of(name, names)
}

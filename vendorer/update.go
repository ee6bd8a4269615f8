package vendorer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/packsfile"
)

// A Target is a pack to update. Tag, if not "", is the tag to take.
type Target struct{ Name, Tag string }

// UpdateOptions select the packs and tags that Update follows.
type UpdateOptions struct {
	// Targets are the packs to update; none means all.
	Targets []Target
	// Latest takes the newest version for a pack pinned to a version tag, not only the
	// newest compatible one.
	Latest bool
	// AcceptRetag follows version tags that were pushed again with other bytes. Without
	// it they are a *RetagError.
	AcceptRetag bool
	// KeepGoing updates the other packs when a pack's tag was pushed again.
	KeepGoing bool
	// DryRun plans the run and writes nothing.
	DryRun bool
	// Accept names the packs that may break with what is locked. Without Targets they are
	// the targets. A pack with nothing to accept is a *UsageError.
	Accept map[Continuity][]string
}

// Update follows the tags of packs, and vendors. A pack pinned as repository:tag@digest
// gets the tag's new digest in packs.toml; if the tag is a version, it gets the newest
// compatible version. A bare tag or a range moves only in packs.lock; a digest alone
// never moves. One refused pack stops the whole update, unless KeepGoing is set: then
// the error joins the refusals, and the Report covers the others.
func Update(ctx context.Context, o Options, u UpdateOptions) (*Report, error) {
	v, err := openVendoring(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer v.close()
	targets, err := v.accept(u)
	if err != nil {
		return nil, err
	}
	packs, err := v.choose(targets)
	if err != nil {
		return nil, err
	}
	v.dryRun = u.DryRun
	up := &updater{
		vendoring: v,
		follower:  &follower{session: v.session, latest: u.Latest, acceptRetag: u.AcceptRetag},
		keepGoing: u.KeepGoing,
		named:     len(targets) > 0,
		refs:      map[string]string{},
		refused:   map[string]error{},
	}
	report, err := up.vendor(ctx, packs)
	if ctx.Err() != nil {
		return nil, err
	}
	return report, errors.Join(up.refusals(report), mergeTagErrors("update", err))
}

// An updateTarget is a pack to update; wanted is the tag to take, "" if none was named.
type updateTarget struct {
	packsfile.Pack
	wanted string
}

// choose returns the packs of the targets, or all packs without targets.
func (s *session) choose(targets []Target) ([]updateTarget, error) {
	var packs []updateTarget
	if len(targets) == 0 {
		for _, pack := range s.p.Config.Packs {
			packs = append(packs, updateTarget{Pack: pack})
		}
		return packs, nil
	}
	var errs []error
	tags := map[string]string{}
	for _, target := range targets {
		tag, twice := tags[target.Name]
		pack, ok := s.p.Config.Pack(target.Name)
		switch {
		case twice && tag == target.Tag:
		case !ok && !twice:
			errs = append(errs, s.unknown(target.Name))
		case ok && twice:
			errs = append(errs, &UsageError{Subject: target.Name, Reason: "is named twice, with different tags"})
		case ok:
			packs = append(packs, updateTarget{pack, target.Tag})
		}
		tags[target.Name] = target.Tag
	}
	return packs, errors.Join(errs...)
}

// An updater collects the new references of an update before it vendors.
type updater struct {
	*vendoring
	follower  *follower
	keepGoing bool
	named     bool              // the user named the packs
	refs      map[string]string // packs' new references in packs.toml; under mu
	refused   map[string]error  // refused packs, with the reason; under mu
}

// vendor follows the packs' tags, and vendors.
func (u *updater) vendor(ctx context.Context, packs []updateTarget) (*Report, error) {
	var followed []packsfile.Pack
	for _, pack := range packs {
		if hasTags(pack.Pack) || pack.wanted != "" {
			followed = append(followed, pack.Pack)
		}
	}
	if err := u.checkFollowed(ctx, followed); err != nil {
		return nil, err
	}
	if err := eachPack(ctx, u.client, PhaseResolving, packs, u.follow); err != nil {
		return nil, err
	}
	if len(u.refs) > 0 {
		if err := u.edit(setRefs(u.refs), false); err != nil {
			return nil, err
		}
	}
	return u.vendoring.vendor(ctx)
}

// follow follows a pack's tag; with keepGoing, it records a refusal.
func (u *updater) follow(ctx context.Context, pack updateTarget) error {
	err := u.followTag(ctx, pack)
	if err == nil {
		return nil
	}
	err = u.packError(pack.Pack, Resolve, nil, err)
	var retag *RetagError
	if !u.keepGoing || !errors.As(err, &retag) {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refused[pack.Name] = err
	return nil
}

// refusals returns the errors of refused packs, and marks these packs in the report.
func (u *updater) refusals(report *Report) error {
	var errs []error
	for _, pack := range u.p.Config.Packs {
		errs = append(errs, u.refused[pack.Name])
	}
	if report != nil {
		for i := range report.Packs {
			report.Packs[i].Refused = u.refused[report.Packs[i].Name] != nil
		}
	}
	return errors.Join(errs...)
}

func (u *updater) followTag(ctx context.Context, pack updateTarget) error {
	switch {
	case pack.Path != "" && pack.wanted != "":
		return &UsageError{Subject: "it", Reason: "is from a file, which has no tags: " + pack.Path}
	case pack.Path != "" && u.named && !u.relock[pack.Name]:
		u.events.event(FileStays{Name: pack.Name, Path: pack.Path})
	}
	if pack.Path != "" {
		return nil
	}
	if pack.wanted == "" && u.current(pack.Pack) == (TaggedDigest{}) {
		u.relockInconsistent(pack.Pack)
		return nil // it is not locked yet
	}
	h, err := u.follower.follow(ctx, pack.Pack, pack.wanted)
	if err != nil {
		return err
	}
	if h.moved != nil {
		u.apply(pack, h)
		return nil
	}
	u.relockInconsistent(pack.Pack)
	return nil
}

// relockInconsistent resolves an unmoved pack again if its entry is inconsistent or,
// for a named pack, if only the registry could prove the entry.
func (u *updater) relockInconsistent(pack packsfile.Pack) {
	entry, locked := u.p.Lock.Entry(pack.Name)
	if !locked || isStale(pack, entry) {
		return
	}
	proven, err := u.checkLocked(&task{Step: Step{Pack: pack, Locked: entry}})
	if err != nil || u.named && !proven {
		u.mark(pack.Name)
	}
}

// apply records a pack's new digest: in packs.toml too, if that has one.
func (u *updater) apply(pack updateTarget, h resolution) {
	u.tellPushed(pack, h)
	u.mark(pack.Name)
	ref, isPin := pack.Reference, pack.Reference.Digest != ""
	ref.Tag, ref.Digest = h.tag, ""
	if isPin {
		ref = u.memoisePinned(pack.Name, ref, h.moved)
	} else {
		u.memoise(pack.Name, h.moved)
	}
	if isPin || pack.wanted != "" {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.refs[pack.Name] = schemeOf(pack.Ref) + ref.String()
	}
}

// tellPushed reports a version tag that names another manifest than the locked one, and
// that the update follows without --accept-retag.
func (u *updater) tellPushed(pack updateTarget, h resolution) {
	_, isVersion := versions.Parse(h.tag)
	switch {
	case !isVersion || h.tag != h.current.Tag:
	case h.locked.LayerDigest == ociref.Digest(h.moved.Layer.Digest) && h.locked.Digest() != h.moved.Digest():
		u.events.event(Republished{Name: pack.Name, Tag: h.tag, Locked: h.locked.Digest(), Now: h.moved.Digest()})
	case h.locked.Name == "" || !u.follower.acceptRetag:
		u.events.event(TagMoved{Name: pack.Name, Ref: pack.Ref, Pinned: h.current.Digest, Now: h.moved.Digest()})
	}
}

// schemeOf returns the scheme that packs.toml uses, "" if none.
func schemeOf(ref string) string {
	if strings.HasPrefix(ref, "oci://") {
		return "oci://"
	}
	return ""
}

func (u *updater) mark(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.relock[name] = true
}

// ParseTarget reads NAME or NAME@TAG.
func ParseTarget(s string) (Target, error) {
	name, tag, ok := strings.Cut(s, "@")
	if !ok {
		return Target{Name: name}, nil
	}
	if err := ociref.CheckTag(tag); err != nil {
		return Target{}, &UsageError{Subject: fmt.Sprintf("tag %+q", tag), Reason: err.Error()}
	}
	return Target{Name: name, Tag: tag}, nil
}

// accept notes what the user accepts, and returns the targets of the update. Packs whose
// signer may change, or go, are locked again.
func (v *vendoring) accept(u UpdateOptions) ([]Target, error) {
	v.accepted = map[accepted]bool{}
	targets := u.Targets
	var errs []error
	for _, kind := range continuities() {
		for _, name := range u.Accept[kind] {
			_, known := v.p.Config.Pack(name)
			switch isTarget := slices.ContainsFunc(u.Targets, func(t Target) bool { return t.Name == name }); {
			case !known:
				errs = append(errs, v.unknown(name))
			case len(u.Targets) == 0:
				targets = append(targets, Target{Name: name})
			case !isTarget:
				errs = append(errs, &UsageError{Subject: kind.Flag() + " " + name, Reason: "is about a pack that is not to be updated"})
			}
			v.accepted[accepted{kind, name}] = false
			if kind == SameSigner || kind == StaysSigned {
				v.relock[name] = true
			}
		}
	}
	return targets, errors.Join(errs...)
}

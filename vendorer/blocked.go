package vendorer

import (
	"context"
	"errors"
	"io/fs"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// checkBlocked returns an error for each step that mayAsk and whose reference registries.conf
// blocks. It is called before the first request, so that nobody is asked for any pack then. The
// errors include what packs.lock has against itself, which is graver. Unless some step mayAsk,
// no registries.conf is read.
func (s *session) checkBlocked(steps []Step, mayAsk func(Step) bool) error {
	if s.o.Fetch.Mirrors == nil {
		return nil
	}
	var errs []error
	for _, step := range steps {
		if !mayAsk(step) {
			continue
		}
		err := s.CheckSources(askedFor(step))
		if err != nil && !isBlocked(err) {
			return err // about the file, and so about all packs
		}
		if err != nil {
			errs = append(errs, s.packError(step.Pack, step.Action, &step.Locked, err))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	for _, step := range steps {
		if step.Action == Resolve {
			continue
		}
		if _, err := s.checkLocked(&task{Step: step}); err != nil {
			errs = append(errs, s.packError(step.Pack, step.Action, &step.Locked, err))
		}
	}
	return errors.Join(errs...)
}

func isBlocked(err error) bool { return errors.As(err, new(*packfetch.BlockedError)) }

// askedFor is the reference for which a registry is asked.
func askedFor(step Step) ociref.Reference {
	if step.Action == Resolve {
		return step.Pack.Reference
	}
	return step.Pack.Reference.WithDigest(step.Locked.Digest())
}

// mayAsk tells whether vendoring may have to ask a registry: for a tag, a manifest, a pack or
// its signature.
func (s *session) mayAsk(step Step) bool {
	ref, entry := step.Pack.Reference, step.Locked
	switch {
	case s.o.Offline || step.Pack.Path != "":
		return false
	case s.mayNeedSignature(step):
		return true
	case step.Action == Keep:
		return len(s.exceptions(step.Pack, entry)) > 0 && !s.IsAtHand(entry.ManifestDigest)
	case step.Action == Restore:
		return !s.IsAtHand(entry.ManifestDigest)
	}
	return ref.Digest == "" || ref.Tag != "" || !s.IsAtHand(ref.Digest)
}

// mayNeedSignature tells whether a signature may have to be found, or its evidence again.
func (s *session) mayNeedSignature(step Step) bool {
	switch {
	case step.Action == Resolve:
		return s.lacksSigner(step.Pack, lockfile.Entry{})
	case step.Locked.Signer == "":
		return s.lacksSigner(step.Pack, step.Locked)
	}
	_, err := s.p.ReadEvidence(step.Locked.Name)
	return errors.Is(err, fs.ErrNotExist)
}

// checkFollowed is checkBlocked for a run that asks for tags of some packs before it vendors
// all of packs.toml.
func (v *vendoring) checkFollowed(ctx context.Context, followed []packsfile.Pack) error {
	var steps []Step
	isFollowed := map[string]bool{}
	for _, pack := range followed {
		isFollowed[pack.Name] = true
		steps = append(steps, Step{Pack: pack, Action: Resolve})
	}
	looked, err := v.lookAtAll(ctx)
	if err != nil {
		return err
	}
	for _, step := range makePlan(v.p.Config.Packs, v.p.Lock, looked, nil, v.relock).Steps {
		if !isFollowed[step.Pack.Name] && step.Pack.Pinned() {
			steps = append(steps, step)
		}
	}
	return v.checkBlocked(steps, v.mayAsk)
}

// lookAtAll describes the vendored files, and hashes none: one of the locked size counts as
// right.
func (v *vendoring) lookAtAll(ctx context.Context) (map[string]Vendored, error) {
	looked := map[string]Vendored{}
	for _, entry := range v.p.Lock.Entries {
		file, err := v.p.Look(ctx, entry.Name)
		if err != nil {
			return nil, err
		}
		if file.Size == entry.Size {
			file.Content = project.ContentOf(entry)
		}
		looked[entry.Name] = file
	}
	return looked, nil
}

// hasTags tells whether a pack may follow a tag. A digest alone never moves.
func hasTags(pack packsfile.Pack) bool {
	return pack.Path == "" && (pack.Reference.Tag != "" || pack.Reference.Digest == "")
}

// checkRemoteBlocked is checkBlocked for checkRemotes, whose findings are those of the packs. It
// tells whether there is one: then nobody may be asked.
func (s *session) checkRemoteBlocked(tasks []*comparedTask) (found bool) {
	for _, t := range tasks {
		if t.isForRemote() {
			t.err = s.CheckSources(t.Pack.Reference.WithDigest(t.Locked.Digest()))
			found = found || t.err != nil
		}
	}
	return found
}

// checkBlocked is that of a session, for two references.
func (p pair) checkBlocked(f *referenceClient) error {
	var errs []error
	for _, s := range p {
		ref, err := ociref.Parse(s.reference)
		if err == nil && !f.o.Offline && (ref.Digest == "" || !f.IsAtHand(ref.Digest)) {
			errs = append(errs, f.CheckSources(ref))
		}
	}
	return errors.Join(errs...)
}

// checkBlocked is that of a session, for the packs that go into the bundle.
func (x *export) checkBlocked(ctx context.Context) error {
	var steps []Step
	for _, t := range x.tasks {
		if x.mayAsk(ctx, t) {
			steps = append(steps, Step{Pack: t.pack, Action: Restore, Locked: t.entry})
		}
	}
	return x.session.checkBlocked(steps, func(Step) bool { return true })
}

// mayAsk tells whether a registry may have to be asked for a pack.
func (x *export) mayAsk(ctx context.Context, t *exportTask) bool {
	digest := t.entry.ManifestDigest
	_, uncached := x.ResolveCached(t.reference(), digest, t.pack.Layer)
	knowsManifest := t.evidence != nil || x.since.manifest(t.entry.Digest()) != nil || t.entry.IndexDigest == "" && uncached == nil
	file, err := x.p.Look(ctx, t.entry.Name)
	hasBytes := err == nil && file.Size == t.entry.Size || x.IsAtHand(digest)
	return !x.o.Offline && !(knowsManifest && hasBytes)
}

package vendorer

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/greenticai/packvendor/internal/gtpack"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/versions"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Continuity is a way in which a signed pack continues what was locked. UpdateOptions can
// accept that it does not.
type Continuity string

const (
	SameSigner   Continuity = "signer"   // the same one signed it, or one beside whom the rule lists it
	StaysSigned  Continuity = "unsigned" // it stays signed
	SamePackID   Continuity = "id"       // the signed bytes have the same pack ID
	NoOlder      Continuity = "version"  // they have no lower version, and the tag's
	acceptPrefix            = "--accept-"
)

func continuities() []Continuity { return []Continuity{SameSigner, StaysSigned, SamePackID, NoOlder} }

// Flag returns the flag of the command update that accepts a break.
func (c Continuity) Flag() string { return acceptPrefix + string(c) }

// An accepted is a break that the user accepts.
type accepted struct {
	kind Continuity
	name string
}

// accepts tells whether the user accepts a break of one pack, and notes that there was one.
func (v *vendoring) accepts(kind Continuity, name string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := accepted{kind, name}
	if _, ok := v.accepted[a]; !ok {
		return false
	}
	v.accepted[a] = true
	return true
}

// needless returns the error about breaks that the user accepts and that are none. A dry run
// may not have looked into the packs.
func (v *vendoring) needless() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var errs []error
	for _, kind := range continuities() {
		for _, pack := range v.p.Config.Packs {
			used, is := v.accepted[accepted{kind, pack.Name}]
			if is && !used && (!v.dryRun || kind == SameSigner || kind == StaysSigned) {
				errs = append(errs, &UsageError{Subject: kind.Flag() + " " + pack.Name, Reason: "has nothing to accept"})
			}
		}
	}
	return errors.Join(errs...)
}

// before returns the entry that a pack continues: that of its name, or else one of its
// repository: a signed one before others, then one whose name packs.toml no longer has. It
// returns the zero value if it is new.
func (v *vendoring) before(t *task) lockfile.Entry {
	if t.Locked.Name != "" {
		return t.Locked
	}
	var found lockfile.Entry
	best := -1
	for _, entry := range v.p.Lock.Entries {
		if entry.Ref == "" || t.Pack.Ref == "" || !trust.SameRepository(entry.Reference(), t.Pack.Reference) {
			continue
		}
		rank := 0
		if entry.Signer != "" {
			rank = 2
		}
		if _, stays := v.p.Config.Pack(entry.Name); !stays {
			rank++
		}
		if rank > best {
			found, best = entry, rank
		}
	}
	return found
}

// continueSigner checks that a new signer may follow the one that was locked: the rule lists
// both. Who rotates keys lists both for a while.
func (v *vendoring) continueSigner(t *task, match trust.Match) error {
	was := v.before(t)
	if was.Signer == "" || was.Signer == t.entry.Signer {
		return nil
	}
	e := SignerChange{Name: t.Pack.Name, Was: v.signerText(was.Signer), Now: v.signerText(t.entry.Signer)}
	for _, s := range match.Signers {
		if s.ID() == was.Signer {
			t.tell(SignerChanged{e})
			return nil
		}
	}
	if v.accepts(SameSigner, t.Pack.Name) {
		t.tell(SignerChanged{e})
		return nil
	}
	return &SignerChangedError{SignerChange: e, Rule: match.Rule, Acceptance: v.acceptance(t)}
}

// loseSigner lets a pack lose its signature, if the user accepts that.
func (v *vendoring) loseSigner(t *task) error {
	was := v.before(t)
	e := SignerChange{Name: t.Pack.Name, Was: v.signerText(was.Signer)}
	switch {
	case was.Signer == "":
		return nil
	case v.accepts(StaysSigned, t.Pack.Name):
		t.tell(SignerChanged{e})
		return nil
	}
	return &SignerLostError{SignerChange: e, Acceptance: v.acceptance(t)}
}

// An Acceptance is how the user can accept that a pack breaks with what was locked.
type Acceptance struct {
	// Target is the argument of update for the pack; "" if packs.toml has to be edited first.
	Target string
	// Ref is the reference that the pack must have in packs.toml first; "" if that is not all.
	Ref string
	// Also are other breaks of the pack, which the user accepts already.
	Also []Continuity
}

// acceptance returns how update leads to what a task would lock. Only add locks what
// packs.toml does not have.
func (v *vendoring) acceptance(t *task) Acceptance {
	config, _ := packsfile.Parse(v.p.Show(v.p.TOMLFile), v.p.TOML)
	if config == nil {
		return Acceptance{}
	}
	pack, ok := config.Pack(t.Pack.Name)
	ref := t.entry.Reference()
	there := ok && trust.SameRepository(pack.Reference, t.Pack.Reference)
	if t.Pack.Path != "" {
		if !ok || pack.Path != t.Pack.Path {
			return Acceptance{}
		}
		return Acceptance{Target: t.Pack.Name, Also: v.alsoAccepted(t.Pack.Name)}
	}
	switch {
	case pack.Version != t.Pack.Version:
		return Acceptance{}
	case !there && ref.Digest != "":
		return Acceptance{Ref: t.Pack.Ref}
	case !there:
		return Acceptance{}
	case ref.Tag == "" || ref.Digest == "":
		return Acceptance{Target: t.Pack.Name, Also: v.alsoAccepted(t.Pack.Name)}
	}
	return Acceptance{Target: t.Pack.Name + "@" + ref.Tag, Also: v.alsoAccepted(t.Pack.Name)}
}

// alsoAccepted returns the breaks of a pack that there are, and that the user accepts.
func (v *vendoring) alsoAccepted(name string) []Continuity {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.DeleteFunc(continuities(), func(kind Continuity) bool { return !v.accepted[accepted{kind, name}] })
}

// A SignerChange is another signer than the one that was locked.
type SignerChange struct {
	Name string
	Was  string // as packs.lock calls it, with its name in packs.toml if it has one
	Now  string // likewise; "" if there is none
}

// continued returns the entry that the bytes of a pack continue: that of its name, or that of
// a pack of its repository which has no place any more. Beside a pack that stays, another one
// of its repository may be older.
func (v *vendoring) continued(t *task) lockfile.Entry {
	was := v.before(t)
	if _, stays := v.p.Config.Pack(was.Name); stays && was.Name != t.Pack.Name {
		return lockfile.Entry{}
	}
	return was
}

// differsFrom tells whether the bytes of a signed pack have to be compared with those of the
// pack that was locked.
func (t *task) differsFrom(was lockfile.Entry) bool {
	isSame := isSamePack(was, t.entry) && was.AnyTag() == t.entry.AnyTag()
	return t.entry.Signer != "" && (was.Signer == "" || !isSame)
}

// comparePacks compares the ID and the version inside a signed pack with those of the pack
// that was locked. They are signed in each format; the tag and the manifest need not be.
func (v *vendoring) comparePacks(ctx context.Context, t *task, bytes gtpack.Source) error {
	was := v.continued(t)
	if !t.differsFrom(was) {
		return nil
	}
	now, err := gtpack.Read(ctx, bytes)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		v.events.event(UnreadSigned{Name: t.Pack.Name, Signer: v.signerText(t.entry.Signer), Err: err})
		return nil
	}
	if was.Signer == "" {
		v.events.event(FirstSigned{Name: t.Pack.Name, ID: now.ID, Version: now.Version, Signer: v.signerText(t.entry.Signer)})
		return nil
	}
	old, err := v.readLocked(ctx, was)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var notPack *gtpack.NotPackError
	var malformed *gtpack.MalformedError
	switch {
	case err == nil:
	case errors.As(err, &notPack) || errors.As(err, &malformed):
		v.events.event(UnreadSigned{Name: t.Pack.Name, Err: err})
	case v.accepts(SamePackID, t.Pack.Name) && v.accepts(NoOlder, t.Pack.Name):
	default: // a registry that hides the locked pack could offer an older one
		return &UncomparedError{Name: t.Pack.Name, Err: err, Acceptance: v.acceptance(t)}
	}
	id, version := v.compareIDs(t, old, now), v.compareVersions(t, old, now)
	var errs []error
	if id != nil {
		id.Acceptance = v.acceptance(t)
		errs = append(errs, id)
	}
	if version != nil {
		version.Acceptance = v.acceptance(t)
		errs = append(errs, version)
	}
	return errors.Join(errs...)
}

// compareIDs compares the IDs of two packs; old is nil if it is not known.
func (v *vendoring) compareIDs(t *task, old, now *gtpack.Pack) *OtherPackError {
	if old == nil || old.ID == now.ID || v.accepts(SamePackID, t.Pack.Name) {
		return nil
	}
	return &OtherPackError{Name: t.Pack.Name, Was: old.ID, Now: now.ID}
}

// compareVersions compares the version of a pack with that of the older one, which may be
// nil, and with its tag.
func (v *vendoring) compareVersions(t *task, old, now *gtpack.Pack) *OtherVersionError {
	e := &OtherVersionError{Name: t.Pack.Name, Now: now.Version}
	is, isVersion := versions.Parse(now.Version)
	if tag, ok := versions.Parse(t.entry.AnyTag()); ok && (!isVersion || tag.IsNewerThan(is) || is.IsNewerThan(tag)) {
		e.Tag = t.entry.AnyTag()
	}
	if old != nil {
		was, wasVersion := versions.Parse(old.Version)
		if wasVersion && (!isVersion || was.IsNewerThan(is)) {
			e.Was = old.Version
		}
	}
	if e.Tag == "" && e.Was == "" || v.accepts(NoOlder, t.Pack.Name) {
		return nil
	}
	return e
}

// readLocked reads the pack of an entry: the vendored file if it is that, or else the cache
// or the registry.
func (v *vendoring) readLocked(ctx context.Context, entry lockfile.Entry) (*gtpack.Pack, error) {
	file := v.p.PackFile(entry.Name)
	if is, err := v.p.Measure(ctx, file, entry.Size); err == nil && is.Content == project.ContentOf(entry) {
		return v.readVendored(ctx, file, entry.Size)
	}
	pack, err := v.Resolve(ctx, entry.Reference().WithDigest(entry.ManifestDigest), string(entry.LayerDigest))
	if err != nil {
		return nil, err
	}
	copied, err := v.Open(ctx, pack)
	if err != nil {
		return nil, err
	}
	defer copied.Close()
	return gtpack.Read(ctx, copied)
}

// readVendored reads a file of the project.
func (v *vendoring) readVendored(ctx context.Context, name string, size int64) (*gtpack.Pack, error) {
	file, err := v.p.Root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return gtpack.Read(ctx, io.NewSectionReader(file, 0, size))
}

// compareVendored is comparePacks for a pack that is vendored already.
func (v *vendoring) compareVendored(ctx context.Context, t *task) error {
	file, err := v.p.Root.Open(v.p.PackFile(t.Pack.Name))
	if err != nil {
		return err
	}
	defer file.Close()
	return v.comparePacks(ctx, t, io.NewSectionReader(file, 0, t.entry.Size))
}

// tellRemoved reports the signers of packs that are removed, and that no other name
// continues.
func (v *vendoring) tellRemoved(surplus []lockfile.Entry, tasks []*task) {
	continued := map[string]bool{}
	for _, t := range tasks {
		continued[v.before(t).Name] = true
	}
	for _, entry := range surplus {
		if entry.Signer != "" && !continued[entry.Name] {
			v.events.event(SignerRemoved{Name: entry.Name, Signer: v.signerText(entry.Signer)})
		}
	}
	v.events.flush()
}

// tellSigners reports what became of the signers. A dry run finds no evidence again.
func (v *vendoring) tellSigners(tasks []*task) {
	for _, t := range tasks {
		for _, e := range t.told {
			if _, isRebuilt := e.(EvidenceRebuilt); !isRebuilt || !v.dryRun {
				v.events.event(e)
			}
		}
	}
	v.events.flush()
}

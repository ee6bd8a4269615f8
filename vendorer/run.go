package vendorer

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"github.com/greenticai/packvendor/embedgen"
	"github.com/greenticai/packvendor/internal/atomicfile"
	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/once"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
	"github.com/greenticai/packvendor/vendorer/internal/tagpolicy"
)

// A Report says what a run did.
type Report struct {
	Packs   []PackReport // by name, one for each pack of packs.toml
	Dropped []string     // names of packs that were vendored and no longer are
	Written []string     // files that were written, as the user would name them
	Deleted []string     // files that were deleted, likewise
	DryRun  bool         // what would be done was found out, nothing written or deleted
}

// A PackReport says what a run did with one pack.
type PackReport struct {
	lockfile.Pack               // as it is locked now
	Before        lockfile.Pack // as it was locked; the zero value if it was not
	Action        Action
	Written       bool // its vendored file was written
	Fetched       bool // its bytes came from the registry
	Refused       bool // it was to be updated, and was left as it is
}

// Run vendors: it obeys packs.lock where it speaks of a pack as packs.toml
// does, locks the others, restores what is missing, drops what packs.toml no
// longer has, and writes nothing where nothing changed. On any error before
// the commit every file of the project is as it was.
func Run(ctx context.Context, o Options) (*Report, error) {
	r, err := start(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return r.vendor(ctx)
}

// A run is one vendoring of a project, from reading it to committing.
type run struct {
	o     Options
	p     *project.Project
	f     *fetch.Fetcher
	tell  *teller
	meter *meter

	edited []byte                       // packs.toml's new bytes; nil if it is not edited
	dryRun bool                         // nothing is written
	listed once.Cache[string, []string] // the tags of repositories, by their names

	mu       sync.Mutex
	update   map[string]bool        // packs to resolve again
	resolved map[string]*fetch.Pack // packs that are resolved already
}

// start locks and reads the project. The caller must close the run.
func start(ctx context.Context, o Options, tolerant bool) (*run, error) {
	tell := &teller{tell: o.Events}
	lock, err := o.lock(ctx, tell)
	if err != nil {
		return nil, err
	}
	p, err := project.Open(o.file(), lock, tolerant)
	if err != nil {
		return nil, err
	}
	r := &run{
		o: o, p: p, tell: tell, meter: &meter{tell: o.Progress},
		update: map[string]bool{}, resolved: map[string]*fetch.Pack{},
	}
	// packs.toml says which tags are allowed, so the fetcher allows all.
	r.f, err = o.fetcher(func(f *packfetch.Options) {
		f.AllowTags = true
		f.InsecureRegistries = slices.Concat(f.InsecureRegistries, p.Config.InsecureRegistries)
		f.AcceptMediaTypes = p.Config.AcceptMediaTypes
		f.Copied = func(n, _ int64) { r.meter.copied(n) }
	}, filepath.Dir(o.file()), tell.event)
	if err != nil {
		p.Close()
		return nil, err
	}
	return r, nil
}

// close ends the run and lets the next one at the project.
func (r *run) close() {
	r.tell.flush()
	r.p.Close()
}

// eachPack is forEach with the events of the packs told in their order, and
// counted as a phase.
func eachPack[T any](ctx context.Context, r *run, phase Phase, items []T, do func(context.Context, T) error) error {
	r.meter.begin(phase, len(items), 0)
	return eachCounted(ctx, r, items, do)
}

// eachFetched is eachPack for items whose bytes are copied.
func eachFetched(ctx context.Context, r *run, items []*item, do func(context.Context, *item) error) error {
	var bytes int64
	for _, i := range items {
		bytes += i.entry.Size
	}
	r.meter.begin(PhaseFetching, len(items), bytes)
	return eachCounted(ctx, r, items, do)
}

// eachCounted is eachPack within a phase that has begun.
func eachCounted[T any](ctx context.Context, r *run, items []T, do func(context.Context, T) error) error {
	err := forEach(ctx, r.o, items, func(ctx context.Context, item T) error {
		defer r.meter.done()
		return do(ctx, item)
	})
	r.tell.flush()
	return err
}

// An item is a step on its way to being vendored.
type item struct {
	Step
	entry   lockfile.Pack // as it will be locked
	pack    *fetch.Pack   // nil where the bytes are not needed
	staged  *atomicfile.File
	apart   bool // staged is made durable by itself
	fetched bool
}

// items are the steps of a plan, locked as they are.
func (p Plan) items() []*item {
	items := make([]*item, len(p.Steps))
	for n, step := range p.Steps {
		items[n] = &item{Step: step, entry: step.Locked}
	}
	return items
}

// wanted tells whether the vendored file must be written.
func (i *item) wanted() bool { return i.Vendored.Content != project.ContentOf(i.entry) }

func (r *run) vendor(ctx context.Context) (*Report, error) {
	pkg, err := r.goPackage(r.p.Config)
	if err != nil {
		return nil, err
	}
	plan, vendored, err := r.plan(ctx)
	if err != nil {
		return nil, err
	}
	items := plan.items()
	if err := eachPack(ctx, r, PhaseResolving, items, r.settle); err != nil {
		return nil, err
	}
	if err := r.checkSizes(items); err != nil {
		return nil, err
	}
	change := r.p.NewChange()
	if r.dryRun {
		for _, entry := range plan.Surplus {
			change.Dropped = append(change.Dropped, entry.Name)
		}
		return r.report(change, items), nil
	}
	defer change.Discard()
	if err := r.stage(ctx, change, items, pkg); err != nil {
		return nil, err
	}
	change.Drop(plan.Surplus, vendored)
	err = change.Commit(ctx)
	for _, file := range change.Kept {
		r.tell.event(Kept(file))
	}
	if err != nil {
		return nil, err
	}
	return r.report(change, items), nil
}

// goPackage returns the package to generate for config's packs, but for what is
// not known yet, and sees that it has room.
func (r *run) goPackage(config *packsfile.File) (embedgen.Package, error) {
	files, err := r.p.GoFiles()
	if err != nil {
		return embedgen.Package{}, err
	}
	return r.packageAmong(files, config)
}

// packageAmong is goPackage where the package's other files are these.
func (r *run) packageAmong(files []project.GoFile, config *packsfile.File) (pkg embedgen.Package, err error) {
	pkg.Data = r.p.Config.Embed.Data
	if pkg.Name, err = r.p.PackageName(r.o.getenv, files); err != nil {
		return pkg, err
	}
	for _, pack := range config.Packs {
		pkg.Packs = append(pkg.Packs, embedgen.Pack{Name: pack.Name, GoName: pack.GoName})
	}
	return pkg, r.p.CheckClashes(pkg, files)
}

func (r *run) plan(ctx context.Context) (Plan, map[string]Vendored, error) {
	if !r.dryRun {
		r.p.Sweep()
	}
	vendored, err := r.p.Vendored(ctx)
	if err != nil {
		return Plan{}, nil, err
	}
	plan := MakePlan(r.p.Config.Packs, r.p.Lock, vendored, r.update)
	r.tell.now(Planned{Plan: plan})
	if !r.o.Locked {
		return plan, vendored, nil
	}
	return plan, vendored, r.locked(plan)
}

// locked returns the *LockedError of a plan that would change packs.lock, nil
// if it does not.
func (r *run) locked(plan Plan) error {
	e := plan.locked()
	if e == nil {
		e = &LockedError{NoFile: r.p.LockBytes == nil, Format: string(r.p.LockBytes) != string(lockfile.Format(r.p.Lock))}
		if !e.NoFile && !e.Format {
			return nil
		}
	}
	e.File = r.p.Show(r.p.LockFile)
	e.Place, e.Line = r.firstUnlocked(plan)
	return e
}

// firstUnlocked returns where the first pack of a plan stands that would change
// packs.lock.
func (r *run) firstUnlocked(plan Plan) (file string, line int) {
	for _, step := range plan.Steps {
		if step.Action == Resolve {
			return r.p.Show(r.p.TOMLFile), step.Pack.Line
		}
	}
	for _, entry := range plan.Surplus {
		return r.p.Show(r.p.LockFile), r.p.Lock.Line(entry.Name)
	}
	return r.p.Show(r.p.LockFile), 0
}

// settle finds out how the item will be locked, and where its bytes are if
// they are needed.
func (r *run) settle(ctx context.Context, i *item) error {
	var err error
	switch i.Action {
	case Resolve:
		if err = r.resolve(ctx, i); err == nil {
			err = r.measureAgain(ctx, i)
		}
	case Restore:
		err = r.obey(ctx, i)
	default:
		_, err = r.check(i)
	}
	if err != nil {
		return r.packError(i.Pack, i.Action, &i.Locked, err)
	}
	return nil
}

// measureAgain reads what stands in an item's place if it may be what the item will
// be locked as, and nobody could know that before.
func (r *run) measureAgain(ctx context.Context, i *item) (err error) {
	if v := i.Vendored; v.Digest == "" && !v.IsZero() && v.Size == i.entry.Size {
		i.Vendored, err = r.p.Measure(ctx, r.p.PackFile(i.Pack.Name), i.entry.Size)
	}
	return err
}

// packError says of which pack err is.
func (r *run) packError(pack packsfile.Pack, action Action, locked *lockfile.Pack, err error) error {
	var inconsistent *InconsistentError
	if errors.As(err, &inconsistent) {
		err = inconsistent.At(r.p.Show(r.p.LockFile), r.p.Lock.Line(inconsistent.Name))
	}
	e := &PackError{File: r.p.Show(r.p.TOMLFile), Line: pack.Line, Name: pack.Name, Ref: pack.Ref, Insecure: r.p.Config.InsecureRegistries, Err: err}
	if action != Resolve {
		e.Locked = locked
	}
	return e
}

// resolve locks a pack anew.
func (r *run) resolve(ctx context.Context, i *item) error {
	if i.Reason == Stale {
		r.tell.event(StaleEntry{
			Name:       i.Pack.Name,
			Locked:     inWords(i.Locked.Ref, i.Locked.Version, i.Locked.Layer),
			Configured: inWords(i.Pack.Ref, i.Pack.Version, i.Pack.Layer),
		})
	}
	pack := r.resolved[i.Pack.Name]
	if pack == nil {
		var err error
		if pack, err = r.find(ctx, i.Pack); err != nil {
			return err
		}
		r.checkTag(ctx, i)
	}
	i.pack = pack
	i.entry = entryOf(pack)
	i.entry.Name, i.entry.Ref, i.entry.Version, i.entry.Layer = i.Pack.Name, i.Pack.Ref, i.Pack.Version, i.Pack.Layer
	return nil
}

// entryOf is an entry of packs.lock for what was found, without what packs.toml says.
func entryOf(pack *fetch.Pack) lockfile.Pack {
	return lockfile.Pack{
		Tag:            pack.Tag,
		IndexDigest:    pack.IndexDigest,
		ManifestDigest: pack.ManifestDigest,
		LayerDigest:    ociref.Digest(pack.Layer.Digest),
		Size:           pack.Layer.Size,
		MediaType:      pack.Layer.MediaType,
	}
}

// find resolves a pack as packs.toml has it.
func (r *run) find(ctx context.Context, pack packsfile.Pack) (*fetch.Pack, error) {
	if pack.Version == "" {
		return r.f.Resolve(ctx, pack.Reference, pack.Layer)
	}
	tag, err := tagpolicy.Choose(pack, "", false, r.list(ctx, pack.Reference))
	if err != nil {
		return nil, err
	}
	return r.f.Resolve(ctx, pack.Reference.WithTag(tag), pack.Layer)
}

// inWords are packs.toml's words for a pack: what makes an entry stale if it
// changes.
func inWords(ref, version, layer string) string {
	words := ref
	if version != "" {
		words += " version " + version
	}
	if layer != "" {
		words += " layer " + layer
	}
	return words
}

// checkTag warns of a reference whose tag and digest have parted. What is
// locked is the digest either way, so nothing here can fail a run.
func (r *run) checkTag(ctx context.Context, i *item) {
	ref := i.Pack.Reference
	if ref.Tag == "" || ref.Digest == "" || r.o.Offline {
		return
	}
	now, err := r.f.Follow(ctx, ref, ref.Digest, i.Pack.Layer)
	if err != nil {
		r.tell.event(TagUnchecked{Name: i.Pack.Name, Ref: i.Pack.Ref, Err: err})
	} else if now != nil {
		r.tell.event(TagMoved{Name: i.Pack.Name, Ref: i.Pack.Ref, Pinned: ref.Digest, Now: now.Digest()})
	}
}

// obey finds the pack that is locked. Of the registry only the manifest is
// asked that packs.lock names.
func (r *run) obey(ctx context.Context, i *item) error {
	if err := r.checkEntry(i); err != nil {
		return err
	}
	ref, layer := i.Pack.Reference.WithDigest(i.Locked.ManifestDigest), i.Pack.Layer
	pack, err := r.f.ResolveCached(ref, i.Locked.ManifestDigest, layer)
	switch {
	case isNotCached(err) && r.o.Offline:
		pack, err = r.f.Pinned(ref, i.Locked.ManifestDigest, lockedLayer(i.Locked), layer)
	case isNotCached(err):
		pack, err = r.f.Resolve(ctx, ref, layer)
	}
	if err != nil {
		return liesIfUnusable(i.Locked, err)
	}
	i.pack = pack
	return compare(i.Locked, pack)
}

// check sees that the entry of a pack that stays as it is does not lie, as far
// as can be told without network. proven tells that its manifest was at hand.
func (r *run) check(i *item) (proven bool, err error) {
	if err := r.checkEntry(i); err != nil {
		return false, err
	}
	pack, err := r.f.ResolveCached(i.Pack.Reference.WithDigest(i.Locked.ManifestDigest), i.Locked.ManifestDigest, i.Pack.Layer)
	switch {
	case isNotCached(err):
		return false, nil
	case err != nil:
		return false, liesIfUnusable(i.Locked, err)
	}
	return true, compare(i.Locked, pack)
}

func (r *run) report(c *project.Change, items []*item) *Report {
	report := &Report{DryRun: r.dryRun, Written: c.Written, Deleted: c.Deleted, Dropped: c.Dropped}
	for _, i := range items {
		report.Packs = append(report.Packs, PackReport{Pack: i.entry, Before: i.Locked, Action: i.Action, Written: i.wanted() && !r.dryRun, Fetched: i.fetched})
	}
	return report
}

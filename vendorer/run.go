package vendorer

import (
	"context"
	"sync"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
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
	lockfile.Entry                // as it is locked now
	Before         lockfile.Entry // as it was locked; the zero value if it was not
	Action         Action
	Written        bool // its vendored file was written
	Fetched        bool // its bytes came from the registry
	Refused        bool // it was to be updated, and was left as it is
}

// Run vendors: it obeys packs.lock where it speaks of a pack as packs.toml
// does, locks the others, restores what is missing, drops what packs.toml no
// longer has, and writes nothing where nothing changed. On any error before
// the commit every file of the project is as it was.
func Run(ctx context.Context, o Options) (*Report, error) {
	v, err := openVendoring(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer v.close()
	return v.vendor(ctx)
}

// A vendoring is one run over a project, from reading it to committing.
type vendoring struct {
	*session
	edited []byte // packs.toml's new bytes; nil if it is not edited
	dryRun bool   // nothing is written

	mu       sync.Mutex
	relock   map[string]bool            // packs to resolve again
	resolved map[string]*fetch.Resolved // packs that are resolved already
}

// openVendoring opens a session to vendor in.
func openVendoring(ctx context.Context, o Options, tolerant bool) (*vendoring, error) {
	lock, err := o.lock(ctx)
	if err != nil {
		return nil, err
	}
	s, err := openIn(o, lock, tolerant)
	if err != nil {
		return nil, err
	}
	return &vendoring{session: s, relock: map[string]bool{}, resolved: map[string]*fetch.Resolved{}}, nil
}

func (v *vendoring) vendor(ctx context.Context) (*Report, error) {
	pkg, err := v.goPackage(v.p.Config)
	if err != nil {
		return nil, err
	}
	plan, vendored, err := v.plan(ctx)
	if err != nil {
		return nil, err
	}
	tasks := plan.tasks()
	if err := eachPack(ctx, v.client, PhaseResolving, tasks, v.prepare); err != nil {
		return nil, err
	}
	if err := v.checkSizes(tasks); err != nil {
		return nil, err
	}
	change := v.p.NewChange()
	if v.dryRun {
		for _, entry := range plan.Surplus {
			change.Dropped = append(change.Dropped, entry.Name)
		}
		return v.report(change, tasks), nil
	}
	defer change.Discard()
	if err := v.stage(ctx, change, tasks, pkg); err != nil {
		return nil, err
	}
	change.Drop(plan.Surplus, vendored)
	err = change.Commit(ctx)
	for _, file := range change.Kept {
		v.events.event(Kept(file))
	}
	if err != nil {
		return nil, err
	}
	return v.report(change, tasks), nil
}

func (v *vendoring) plan(ctx context.Context) (Plan, map[string]Vendored, error) {
	if !v.dryRun {
		v.p.Sweep()
	}
	vendored, err := v.p.MeasureAll(ctx)
	if err != nil {
		return Plan{}, nil, err
	}
	plan := MakePlan(v.p.Config.Packs, v.p.Lock, vendored, v.relock)
	v.events.now(Planned{Plan: plan})
	if !v.o.Locked {
		return plan, vendored, nil
	}
	return plan, vendored, v.lockedError(plan)
}

func (v *vendoring) report(c *project.Change, tasks []*task) *Report {
	report := &Report{DryRun: v.dryRun, Written: c.Written, Deleted: c.Deleted, Dropped: c.Dropped}
	for _, t := range tasks {
		report.Packs = append(report.Packs, PackReport{Entry: t.entry, Before: t.Locked, Action: t.Action, Written: t.mustWrite() && !v.dryRun, Fetched: t.fetched})
	}
	return report
}

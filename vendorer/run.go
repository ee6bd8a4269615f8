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
	update   map[string]bool            // packs to resolve again
	resolved map[string]*fetch.Resolved // packs that are resolved already
}

// openVendoring opens a session to vendor in.
func openVendoring(ctx context.Context, o Options, tolerant bool) (*vendoring, error) {
	s, err := open(ctx, o, tolerant)
	if err != nil {
		return nil, err
	}
	return &vendoring{session: s, update: map[string]bool{}, resolved: map[string]*fetch.Resolved{}}, nil
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
	items := plan.items()
	if err := eachPack(ctx, v.client, PhaseResolving, items, v.settle); err != nil {
		return nil, err
	}
	if err := v.checkSizes(items); err != nil {
		return nil, err
	}
	change := v.p.NewChange()
	if v.dryRun {
		for _, entry := range plan.Surplus {
			change.Dropped = append(change.Dropped, entry.Name)
		}
		return v.report(change, items), nil
	}
	defer change.Discard()
	if err := v.stage(ctx, change, items, pkg); err != nil {
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
	return v.report(change, items), nil
}

func (v *vendoring) plan(ctx context.Context) (Plan, map[string]Vendored, error) {
	if !v.dryRun {
		v.p.Sweep()
	}
	vendored, err := v.p.Vendored(ctx)
	if err != nil {
		return Plan{}, nil, err
	}
	plan := MakePlan(v.p.Config.Packs, v.p.Lock, vendored, v.update)
	v.events.now(Planned{Plan: plan})
	if !v.o.Locked {
		return plan, vendored, nil
	}
	return plan, vendored, v.locked(plan)
}

func (v *vendoring) report(c *project.Change, items []*item) *Report {
	report := &Report{DryRun: v.dryRun, Written: c.Written, Deleted: c.Deleted, Dropped: c.Dropped}
	for _, i := range items {
		report.Packs = append(report.Packs, PackReport{Pack: i.entry, Before: i.Locked, Action: i.Action, Written: i.wanted() && !v.dryRun, Fetched: i.fetched})
	}
	return report
}

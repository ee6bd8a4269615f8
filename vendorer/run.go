package vendorer

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/greenticai/packvendor/internal/fetch"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// A Report is the result of a run.
type Report struct {
	Packs   []PackReport // by name, one for each pack of packs.toml
	Dropped []string     // names of packs that are no longer vendored
	Written []string     // written files, as the user would name them
	Deleted []string     // deleted files, likewise
	DryRun  bool         // the run only planned: it wrote and deleted nothing
}

// A PackReport is the result of a run for one pack.
type PackReport struct {
	lockfile.Entry                // the present entry
	Before         lockfile.Entry // the former entry; the zero value if there was none
	Action         Action
	Written        bool // its vendored file was written
	Fetched        bool // its bytes came from the registry
	Bundled        bool // they came from a bundle
	// Source is where its bytes came from, if that is neither the cache nor the repository of
	// its reference: HOST/REPOSITORY of a mirror, or the path of a bundle.
	Source  string
	Refused bool // its update was refused
}

// Run vendors the packs. It follows a packs.lock entry that agrees with packs.toml,
// locks the other packs, restores missing files, drops packs that packs.toml no longer
// has, and writes only changed files. An error before the commit leaves every file of
// the project as it was.
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
	edited []byte // packs.toml's new bytes; nil if unchanged
	dryRun bool   // nothing is written

	mu       sync.Mutex
	relock   map[string]bool            // packs to resolve again
	resolved map[string]*fetch.Resolved // packs that are resolved already
	accepted map[accepted]bool          // true once it was needed

	hasSigned  bool       // packs.lock has a signed pack
	unverified Unverified // signatures without a key; zero if all were verified
}

// openVendoring opens a project for a run that writes.
func openVendoring(ctx context.Context, o Options, tolerant bool) (*vendoring, error) {
	s, err := openToWrite(ctx, o, tolerant)
	if err != nil {
		return nil, err
	}
	if err := s.loadPolicies(); err != nil {
		s.close()
		return nil, err
	}
	v := &vendoring{session: s, relock: map[string]bool{}, resolved: map[string]*fetch.Resolved{}}
	v.hasSigned = slices.ContainsFunc(s.p.Lock.Entries, func(e lockfile.Entry) bool { return e.Signer != "" })
	return v, nil
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
	if err := v.checkBlocked(plan.Steps, v.mayAsk); err != nil {
		return nil, err
	}
	tasks := plan.tasks()
	if err := eachPack(ctx, v.client, PhaseResolving, tasks, v.prepare); err != nil {
		return nil, err
	}
	v.tellUnverified()
	if err := v.checkSizes(tasks); err != nil {
		return nil, err
	}
	change := v.p.NewChange()
	if v.dryRun {
		if err := v.comparePlanned(ctx, tasks); err != nil {
			return nil, err
		}
		if err := v.needless(); err != nil {
			return nil, err
		}
		v.tellSigners(tasks)
		for _, entry := range plan.Surplus {
			change.Dropped = append(change.Dropped, entry.Name)
		}
		return v.report(change, tasks), nil
	}
	defer change.Discard()
	if err := v.stage(ctx, change, tasks, pkg); err != nil {
		return nil, err
	}
	if err := v.needless(); err != nil {
		return nil, err
	}
	v.tellSigners(tasks)
	v.tellRemoved(plan.Surplus, tasks)
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
	files, err := v.p.MeasureLocalFiles(ctx, maxEmbedded)
	if err != nil {
		return Plan{}, nil, err
	}
	plan := makePlan(v.p.Config.Packs, v.p.Lock, vendored, files, v.relock)
	v.events.now(Planned{Plan: plan})
	err = v.checkLocalFiles(plan)
	if v.o.Locked {
		err = errors.Join(err, v.lockedError(plan), v.checkReleased(plan))
	}
	return plan, vendored, err
}

func (v *vendoring) report(c *project.Change, tasks []*task) *Report {
	report := &Report{DryRun: v.dryRun, Written: c.Written, Deleted: c.Deleted, Dropped: c.Dropped}
	for _, t := range tasks {
		report.Packs = append(report.Packs, PackReport{Entry: t.entry, Before: t.Locked, Action: t.Action, Written: t.mustWrite() && !v.dryRun, Fetched: t.fetched, Bundled: t.bundled, Source: t.source})
	}
	return report
}

package vendorer

import (
	"fmt"
	"strings"

	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/packsfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// An Action is the work that a plan has for a pack.
type Action string

const (
	Keep    Action = "keep"    // locked, and vendored as locked
	Restore Action = "restore" // locked, but not vendored, or changed
	Resolve Action = "resolve" // to be locked anew, and then vendored
)

// A Reason is the cause of any other Action than Keep.
type Reason string

const (
	Missing  Reason = "not vendored"       // with Restore
	Changed  Reason = "vendored otherwise" // with Restore
	Unlocked Reason = "not locked"         // with Resolve
	Stale    Reason = "lock is stale"      // with Resolve
	Updated  Reason = "update"             // with Resolve
	NewBytes Reason = "file changed"       // with Resolve: the local file
)

// A Vendored describes the file in a vendored pack's place.
type Vendored = project.Vendored

// A LocalFile describes the file that packs.toml has as the path of a pack.
type LocalFile = project.LocalFile

// A Step is a plan's part for one pack of packs.toml.
type Step struct {
	Pack     packsfile.Pack
	Action   Action
	Reason   Reason
	Locked   lockfile.Entry // the entry in packs.lock; the zero value if there is none
	Vendored Vendored
	Local    LocalFile // of a pack with a path, if it was measured
}

// A Plan is the work of a run. It depends only on packs.toml, packs.lock, the vendored
// files, and the local files.
type Plan struct {
	Steps   []Step           // by name, one for each pack of packs.toml
	Surplus []lockfile.Entry // entries of packs.lock that packs.toml does not name, by name
}

// makePlan makes the plan. vendored maps a pack's name to the file in its place, files to its
// local file. update holds the names to resolve again regardless of packs.lock.
func makePlan(packs []packsfile.Pack, lock *lockfile.Lock, vendored map[string]Vendored, files map[string]LocalFile, update map[string]bool) Plan {
	var plan Plan
	configured := map[string]bool{}
	entries := map[string]lockfile.Entry{}
	for _, entry := range lock.Entries {
		entries[entry.Name] = entry
	}
	for _, pack := range packs {
		configured[pack.Name] = true
		entry, locked := entries[pack.Name]
		step := Step{Pack: pack, Locked: entry, Vendored: vendored[pack.Name], Local: files[pack.Name]}
		step.Action, step.Reason = decide(step, locked, update[pack.Name])
		plan.Steps = append(plan.Steps, step)
	}
	for _, entry := range lock.Entries {
		if !configured[entry.Name] {
			plan.Surplus = append(plan.Surplus, entry)
		}
	}
	return plan
}

func decide(s Step, locked, update bool) (Action, Reason) {
	switch {
	case !locked:
		return Resolve, Unlocked
	case update:
		return Resolve, Updated
	case isStale(s.Pack, s.Locked):
		return Resolve, Stale
	case !s.Local.IsZero() && s.Local.Content != project.ContentOf(s.Locked):
		return Resolve, NewBytes
	case s.Vendored.IsZero():
		return Restore, Missing
	case s.Vendored.Content != project.ContentOf(s.Locked):
		return Restore, Changed
	}
	return Keep, ""
}

// isStale tells whether packs.toml has changed a pack since it was locked.
func isStale(pack packsfile.Pack, entry lockfile.Entry) bool {
	return entry.Ref != pack.Ref || entry.Version != pack.Version || entry.Layer != pack.Layer || entry.Path != pack.Path
}

// lockedError reports the changes of a plan to packs.lock's entries; nil without any.
func (p Plan) lockedError() *LockedError {
	e := &LockedError{}
	for _, step := range p.Steps {
		switch {
		case step.Action != Resolve:
		case step.Reason == Unlocked:
			e.Missing = append(e.Missing, step.Pack.Name)
		default:
			e.Stale = append(e.Stale, step.Pack.Name)
		}
	}
	for _, entry := range p.Surplus {
		e.Surplus = append(e.Surplus, entry.Name)
	}
	if len(e.Missing)+len(e.Stale)+len(e.Surplus) == 0 {
		return nil
	}
	return e
}

// String returns the plan as text, a line a pack.
func (p Plan) String() string {
	var b strings.Builder
	for _, step := range p.Steps {
		fmt.Fprintf(&b, "%s: %s", step.Pack.Name, step.Action)
		if step.Reason != "" {
			fmt.Fprintf(&b, " (%s)", step.Reason)
		}
		b.WriteByte('\n')
	}
	for _, entry := range p.Surplus {
		fmt.Fprintf(&b, "%s: drop (not in packs.toml)\n", entry.Name)
	}
	return b.String()
}

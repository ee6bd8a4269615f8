package vendorer

import (
	"sync"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/packfetch"
)

// An Event is something that a user may want to know and that does not stop a
// run.
type Event interface{ event() }

type (
	// Planned comes first: what the run will do.
	Planned struct{ Plan Plan }
	// StaleEntry: packs.toml has changed a pack since it was locked.
	StaleEntry struct{ Name, Locked, Configured string }
	// LeftOut: a pack without a pin is left out of a run that adds another.
	LeftOut struct{ Name, Ref string }
	// TagMoved: a reference with tag and digest is locked for the first time,
	// and its tag names another digest now.
	TagMoved struct {
		Name, Ref   string
		Pinned, Now ociref.Digest
	}
	// TagUnchecked: whether the tag of such a reference moved could not be
	// found out.
	TagUnchecked struct {
		Name, Ref string
		Err       error
	}
	// Doubtful: the selected layer may not be the pack.
	Doubtful struct {
		Name   string
		Layer  packfetch.Layer
		NotZip bool              // its bytes do not start as a zip
		Others []packfetch.Layer // accepted layers that were not selected
	}
	// Restored: vendored bytes were not those that are locked.
	Restored struct {
		Name, Path string
		Got, Want  ociref.Digest
		LFS        bool // what stood there was a Git LFS pointer
	}
	// Kept: a dropped pack's file was changed by someone, and so not deleted.
	Kept struct{ Name, Path string }
	// Large: a pack is larger than code hosts take.
	Large struct {
		Name string
		Size int64 // bytes
	}
	// LargeTotal: all packs together are larger than a module may be.
	LargeTotal struct{ Size int64 }
	// WaitingForProject: another run works on the project.
	WaitingForProject struct{ File string }
	// Fetching passes on an event of the fetcher.
	Fetching struct{ packfetch.Event }
)

func (Planned) event()           {}
func (StaleEntry) event()        {}
func (LeftOut) event()           {}
func (TagMoved) event()          {}
func (TagUnchecked) event()      {}
func (Doubtful) event()          {}
func (Restored) event()          {}
func (Kept) event()              {}
func (Large) event()             {}
func (LargeTotal) event()        {}
func (WaitingForProject) event() {}
func (Fetching) event()          {}

// serialized returns o.Events as a function that may be called concurrently.
func (o Options) serialized() func(Event) {
	if o.Events == nil {
		return func(Event) {}
	}
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		o.Events(e)
	}
}

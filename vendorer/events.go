package vendorer

import (
	"slices"
	"strings"
	"sync"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
)

// An Event is something that a user may want to know and that does not stop a
// run.
type Event interface{ about() string }

type (
	// Planned comes first: what the run will do.
	Planned struct{ Plan Plan }
	// StaleEntry: packs.toml has changed a pack since it was locked.
	StaleEntry struct{ Name, Locked, Configured string }
	// LeftOut: a pack without a pin is left out of a run that adds another.
	LeftOut struct{ Name, Ref string }
	// TagMoved: a reference with tag and digest is locked for the first time, or
	// updated, and its tag names another digest now.
	TagMoved struct {
		Name, Ref   string
		Pinned, Now ociref.Digest
	}
	// Republished: a version tag was pushed again with the bytes that it had, and is
	// followed: only its manifest is new.
	Republished struct {
		Name, Tag   string
		Locked, Now ociref.Digest
	}
	// TagUnchecked: whether the tag of such a reference moved could not be
	// found out.
	TagUnchecked struct {
		Name, Ref string
		Err       error
	}
	// SuspectLayer: the selected layer may not be the pack.
	SuspectLayer struct {
		Name string
		packfetch.SuspectLayer
	}
	// Restored: vendored bytes were not those that are locked.
	Restored struct {
		Name, Path string
		Got, Want  verified.Content // Got.Digest is "" if the size alone tells
		LFS        bool             // what stood there was a Git LFS pointer
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

// about returns the name or reference of the pack that an event is about.
func (Planned) about() string           { return "" }
func (e StaleEntry) about() string      { return e.Name }
func (e LeftOut) about() string         { return e.Name }
func (e TagMoved) about() string        { return e.Name }
func (e Republished) about() string     { return e.Name }
func (e TagUnchecked) about() string    { return e.Name }
func (e SuspectLayer) about() string    { return e.Name }
func (e Restored) about() string        { return e.Name }
func (e Kept) about() string            { return e.Name }
func (e Large) about() string           { return e.Name }
func (LargeTotal) about() string        { return "" }
func (WaitingForProject) about() string { return "" }

func (e Fetching) about() string {
	switch e := e.Event.(type) {
	case packfetch.CorruptEntry:
		return e.Reference
	case packfetch.CacheUnusable:
		return e.Reference
	case packfetch.SuspectLayer:
		return e.Reference
	case packfetch.Resumed:
		return e.Reference
	}
	return ""
}

// A orderedEvents passes events on to Options.Events, those of packs that are worked
// on at once in the order of the packs: the same run says the same every time.
type orderedEvents struct {
	tell func(Event) // nil: nobody listens

	mu   sync.Mutex
	held []Event
}

// event takes an event of a pack, which flush will pass on; a wait is told at
// once. It may be called concurrently.
func (t *orderedEvents) event(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if fetching, ok := e.(Fetching); ok {
		switch fetching.Event.(type) {
		case packfetch.Waiting, packfetch.Retrying:
			t.pass(e)
			return
		}
	}
	t.held = append(t.held, e)
}

// now passes an event on at once, after those that are held.
func (t *orderedEvents) now(e Event) {
	t.flush()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass(e)
}

// flush passes on what is held, in the order of the packs.
func (t *orderedEvents) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.held, func(a, b Event) int { return strings.Compare(a.about(), b.about()) })
	for _, e := range t.held {
		t.pass(e)
	}
	t.held = nil
}

func (t *orderedEvents) pass(e Event) {
	if t.tell != nil {
		t.tell(e)
	}
}

// A Phase is a part of a run that may take long.
type Phase string

const (
	PhaseResolving Phase = "resolving"
	PhaseFetching  Phase = "fetching"
	PhaseVerifying Phase = "verifying"
)

// A Progress says how far a run is with one phase of it.
type Progress struct {
	Phase     Phase
	Packs     int   // how many the phase is about
	Done      int   // how many of them are done
	Bytes     int64 // of all of them; 0 where no bytes are copied
	BytesDone int64 // copied so far
}

// A progressCounter counts what a run has done. Its methods may be called concurrently.
type progressCounter struct {
	tell func(Progress) // nil: nobody looks

	mu  sync.Mutex
	now Progress
}

// begin starts a phase.
func (m *progressCounter) begin(phase Phase, packs int, bytes int64) {
	m.change(func(p *Progress) { *p = Progress{Phase: phase, Packs: packs, Bytes: bytes} })
}

// done counts one pack of the phase.
func (m *progressCounter) done() { m.change(func(p *Progress) { p.Done++ }) }

// copied counts bytes of a pack; what is begun anew is taken off again.
func (m *progressCounter) copied(n int64) { m.change(func(p *Progress) { p.BytesDone += n }) }

// copiedOne is copied where there is one pack only, which is resolved until its
// first bytes come.
func (m *progressCounter) copiedOne(n, size int64) {
	m.change(func(now *Progress) {
		if now.Phase != PhaseFetching {
			*now = Progress{Phase: PhaseFetching, Packs: 1, Bytes: size}
		}
		now.BytesDone += n
	})
}

func (m *progressCounter) change(change func(*Progress)) {
	if m.tell == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.now)
	m.tell(m.now)
}

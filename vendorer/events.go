package vendorer

import (
	"slices"
	"strings"
	"sync"

	"github.com/greenticai/packvendor/internal/ociref"
	"github.com/greenticai/packvendor/internal/verified"
	"github.com/greenticai/packvendor/packfetch"
)

// An Event is news about a run that does not stop it.
type Event interface{ about() string }

type (
	// Planned comes first: the plan of the run.
	Planned struct{ Plan Plan }
	// StaleEntry: packs.toml has changed a pack since it was locked.
	StaleEntry struct{ Name, Locked, Configured string }
	// FileChanged: the local file of a pack has other bytes than the locked ones. The run takes
	// them.
	FileChanged struct {
		Name, Path string // the path as packs.toml has it
		Was, Now   verified.Content
	}
	// FileNotZip: the local file of a pack cannot be a pack.
	FileNotZip struct{ Name, Path string }
	// FileStays: the pack to update has a local file, which an update leaves alone.
	FileStays struct{ Name, Path string }
	// LeftOut: a run that adds another pack leaves out a pack without a pin.
	LeftOut struct{ Name, Ref string }
	// TagMoved: a reference with tag and digest is locked for the first time, or
	// updated, and its tag names another digest now.
	TagMoved struct {
		Name, Ref   string
		Pinned, Now ociref.Digest
	}
	// Republished: a version tag was pushed again with the same bytes and another
	// manifest. The update follows it.
	Republished struct {
		Name, Tag   string
		Locked, Now ociref.Digest
	}
	// TagUnchecked: the registry did not say whether such a tag moved.
	TagUnchecked struct {
		Name, Ref string
		Err       error
	}
	// SuspectLayer: the selected layer may not be the pack.
	SuspectLayer struct {
		Name string
		packfetch.SuspectLayer
	}
	// Restored: a vendored file differed from packs.lock.
	Restored struct {
		Name, Path string
		Got, Want  verified.Content // Got.Digest is "" if the size alone differs
		LFS        bool             // the file was a Git LFS pointer
	}
	// EvidenceRebuilt: a file of evidence was missing, or had other bytes than the locked
	// ones. The evidence was found again, the same or another one.
	EvidenceRebuilt struct {
		Name, Path    string
		Changed, Same bool
	}
	// UnaskedSigner: a pack is signed, and no rule asks for it.
	UnaskedSigner struct{ Name string }
	// Unverified: packs are locked as signed without a key, and their signatures were not
	// verified. Err says why.
	Unverified struct {
		Signatures int
		Err        error
	}
	// SignerChanged: another signer is locked than before, whom the rule lists beside the
	// former one, or whom the user accepts; or none.
	SignerChanged struct{ SignerChange }
	// SignerRemoved: a pack is removed that was signed.
	SignerRemoved struct{ Name, Signer string }
	// FirstSigned: a signature of a pack is locked for the first time. ID and Version are
	// inside the signed bytes.
	FirstSigned struct{ Name, ID, Version, Signer string }
	// UnreadSigned: a signed pack is no pack that can be read, so its ID and its version are
	// compared with nothing. Without a Signer it is the one which was locked before.
	UnreadSigned struct {
		Name   string
		Signer string
		Err    error
	}
	// NotCompared: a dry run did not compare the ID and the version of a signed pack with those
	// of the locked one: it has not both packs, and downloads none.
	NotCompared struct{ Name string }
	// TrustInTree: the file of Options.Trust is in the work tree whose authors it is to judge.
	TrustInTree struct{ File string }
	// Kept: someone changed a dropped pack's file, so it stays.
	Kept struct{ Name, Path string }
	// NotExported: a vendored file is not the locked pack, so a bundle has the pack from
	// elsewhere.
	NotExported struct{ Name, Path string }
	// NotImported: the cache keeps another layer of a pack's manifest than the locked one.
	NotImported struct{ Name string }
	// UnreadComponents: a pack cannot be read, so that an SBOM lacks its components.
	UnreadComponents struct {
		Name string
		Err  error
	}
	// LeftOutOfSBOM: a program has the marker of a pack, but not the pack.
	LeftOutOfSBOM struct{ Program, Name string }
	// NothingDepends: an SBOM has no main component with a bom-ref that could depend on packs.
	NothingDepends struct{ File string }
	// SignatureLeftOut: packs are signed, but not in a way that greentic-dist accepts, so that
	// its lock lacks their signatures.
	SignatureLeftOut struct{ Names []string }
	// LayerNotKnown: packs.toml chooses the layers of packs, and greentic-dist may take others.
	LayerNotKnown struct{ Names []string }
	// Large: a pack is larger than code hosts accept.
	Large struct {
		Name string
		Size int64 // bytes
	}
	// LargeTotal: all packs together are larger than a module may be.
	LargeTotal struct{ Size int64 }
	// WaitingForProject: another run holds the project's lock.
	WaitingForProject struct{ File string }
	// Fetching wraps an event of the fetcher.
	Fetching struct{ packfetch.Event }
)

// about returns the name or reference of the event's pack.
func (Planned) about() string            { return "" }
func (e StaleEntry) about() string       { return e.Name }
func (e FileChanged) about() string      { return e.Name }
func (e FileNotZip) about() string       { return e.Name }
func (e FileStays) about() string        { return e.Name }
func (e LeftOut) about() string          { return e.Name }
func (e TagMoved) about() string         { return e.Name }
func (e Republished) about() string      { return e.Name }
func (e TagUnchecked) about() string     { return e.Name }
func (e SuspectLayer) about() string     { return e.Name }
func (e Restored) about() string         { return e.Name }
func (e EvidenceRebuilt) about() string  { return e.Name }
func (e UnaskedSigner) about() string    { return e.Name }
func (Unverified) about() string         { return "" }
func (e SignerChanged) about() string    { return e.Name }
func (e SignerRemoved) about() string    { return e.Name }
func (e FirstSigned) about() string      { return e.Name }
func (e UnreadSigned) about() string     { return e.Name }
func (e NotCompared) about() string      { return e.Name }
func (TrustInTree) about() string        { return "" }
func (e Kept) about() string             { return e.Name }
func (e NotExported) about() string      { return e.Name }
func (e NotImported) about() string      { return e.Name }
func (e UnreadComponents) about() string { return e.Name }
func (e LeftOutOfSBOM) about() string    { return e.Name }
func (NothingDepends) about() string     { return "" }
func (SignatureLeftOut) about() string   { return "" }
func (LayerNotKnown) about() string      { return "" }
func (e Large) about() string            { return e.Name }
func (LargeTotal) about() string         { return "" }
func (WaitingForProject) about() string  { return "" }

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
	case packfetch.Served:
		return e.Reference
	case packfetch.SourceFailed:
		return e.Reference
	case packfetch.TagsFromMirror:
		return e.Reference
	}
	return ""
}

// An orderedEvents passes events on to Options.Events. It sorts the events of
// concurrent packs by pack, so that equal runs give equal output.
type orderedEvents struct {
	tell func(Event) // may be nil

	mu   sync.Mutex
	held []Event
}

// event holds an event until flush; waits and retries pass at once. It may be called
// concurrently.
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

// now passes an event on at once, after the held ones.
func (t *orderedEvents) now(e Event) {
	t.flush()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pass(e)
}

// flush passes on the held events, in the order of the packs.
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
	PhaseExporting Phase = "exporting"
	PhaseImporting Phase = "importing"
)

// A Progress is the state of one phase of a run.
type Progress struct {
	Phase     Phase
	Packs     int   // packs in the phase
	Done      int   // finished packs
	Bytes     int64 // of all packs; 0 if the phase copies none
	BytesDone int64 // copied so far
}

// A progressCounter counts a run's progress. Its methods may be called concurrently.
type progressCounter struct {
	tell func(Progress) // may be nil

	mu  sync.Mutex
	now Progress
}

// begin starts a phase.
func (m *progressCounter) begin(phase Phase, packs int, bytes int64) {
	m.change(func(p *Progress) { *p = Progress{Phase: phase, Packs: packs, Bytes: bytes} })
}

// done counts one pack of the phase.
func (m *progressCounter) done() { m.change(func(p *Progress) { p.Done++ }) }

// copied counts bytes of a pack; n is negative when a copy starts again.
func (m *progressCounter) copied(n int64) { m.change(func(p *Progress) { p.BytesDone += n }) }

// copiedOne is copied for a single pack: its first bytes begin the fetching phase.
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

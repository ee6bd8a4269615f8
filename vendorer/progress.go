package vendorer

import "sync"

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

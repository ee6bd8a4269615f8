package main

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/greenticai/packvendor/vendorer"
)

// What is done sooner than progressDelay is not worth a line; a line is drawn anew
// every progressPause, so that it also tells when nothing moves.
const (
	progressDelay = 300 * time.Millisecond
	progressPause = 100 * time.Millisecond
)

// eraseLine takes away what stands in the line of the cursor.
const eraseLine = "\r\x1b[K"

// A progress is the line at the bottom of a terminal that says how far a run is.
// Its methods may be called concurrently; nil is one that never shows anything.
type progress struct {
	terminal *os.File
	clock    func() time.Time
	wanted   bool

	mu     sync.Mutex
	timer  *time.Timer // for the next drawing; nil before anything was told
	over   bool        // nothing is drawn any more
	shown  bool        // the line is on the terminal
	latest vendorer.Progress
	rate   rate
}

// newProgress returns the progress on w, nil if that is no terminal which can move
// its cursor.
func newProgress(w io.Writer, clock func() time.Time, term string) *progress {
	if !isCapable(w, term) {
		return nil
	}
	return &progress{terminal: w.(*os.File), clock: clock}
}

// isCapable tells whether w is a terminal that understands escape sequences; term
// is $TERM.
func isCapable(w io.Writer, kind string) bool {
	file, ok := w.(*os.File)
	return ok && kind != "dumb" && term.IsTerminal(int(file.Fd())) && enableEscapes(file)
}

// want settles whether anything is to be shown.
func (p *progress) want(wanted bool) {
	if p != nil {
		p.wanted = wanted
	}
}

// watch returns what is to be told of a run's progress, nil if nothing is.
func (p *progress) watch() func(vendorer.Progress) {
	if p == nil || !p.wanted {
		return nil
	}
	return p.advance
}

// advance notes how far a run is.
func (p *progress) advance(now vendorer.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Phase != p.latest.Phase {
		p.rate = rate{}
	}
	p.latest = now
	if p.timer == nil && !p.over {
		p.timer = time.AfterFunc(progressDelay, p.tick)
	}
}

// tick draws the line, and will do so again.
func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.timer == nil { // the timer of before a restart may be late
		return
	}
	p.rate.sample(p.clock(), p.latest.BytesDone)
	p.shown = true
	io.WriteString(p.terminal, p.drawing())
	p.timer.Reset(progressPause)
}

// drawing is what puts the line in the place of what stands there.
func (p *progress) drawing() string {
	columns, _, err := term.GetSize(int(p.terminal.Fd()))
	if err != nil {
		columns = 80
	}
	return eraseLine + progressLine(p.latest, p.rate.perSecond(), columns-1) // the last column may wrap
}

// above writes text, of whole lines, above the line.
func (p *progress) above(w io.Writer, text string) {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.shown {
			text = eraseLine + text + p.drawing()
		}
	}
	io.WriteString(w, text)
}

// restart lets the line come back, for another run.
func (p *progress) restart() {
	if p == nil {
		return
	}
	p.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over, p.timer, p.latest, p.rate = false, nil, vendorer.Progress{}, rate{}
}

// stop takes the line away, until a restart.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.shown {
		io.WriteString(p.terminal, eraseLine)
	}
	p.shown = false
}

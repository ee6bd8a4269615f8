// Package terminal says how far a run is: in a line at the bottom of a terminal, or where
// there is none in a line from time to time.
package terminal

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/greenticai/packvendor/vendorer"
)

// A run shorter than progressDelay shows no line. The line is drawn again every
// progressPause, even if nothing moves.
const (
	progressDelay = 300 * time.Millisecond
	progressPause = 100 * time.Millisecond
)

// eraseLine erases the line of the cursor.
const eraseLine = "\r\x1b[K"

// A Line is the line at the bottom of a terminal that says how far a run is.
// Its methods may be called concurrently; nil is one that never shows anything.
type Line struct {
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

// NewLine returns the line on w, nil if that is no terminal which can move
// its cursor.
func NewLine(w io.Writer, clock func() time.Time, kind string) *Line {
	if !IsCapable(w, kind) {
		return nil
	}
	return &Line{terminal: w.(*os.File), clock: clock}
}

// IsCapable reports whether w is a terminal that understands escape sequences; kind is
// $TERM.
func IsCapable(w io.Writer, kind string) bool {
	file, ok := w.(*os.File)
	return ok && kind != "dumb" && term.IsTerminal(int(file.Fd())) && enableEscapes(file)
}

// Show says whether the line is to be shown.
func (l *Line) Show(wanted bool) {
	if l != nil {
		l.wanted = wanted
	}
}

// Watch returns the function to call with the progress of a run; nil if nothing is
// shown.
func (l *Line) Watch() func(vendorer.Progress) {
	if l == nil || !l.wanted {
		return nil
	}
	return l.advance
}

// advance notes how far a run is.
func (l *Line) advance(now vendorer.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Phase != l.latest.Phase {
		l.rate = rate{}
	}
	l.latest = now
	if l.timer == nil && !l.over {
		l.timer = time.AfterFunc(progressDelay, l.tick)
	}
}

// tick draws the line, and will do so again.
func (l *Line) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.timer == nil { // the timer of before a restart may be late
		return
	}
	l.rate.sample(l.clock(), l.latest.BytesDone)
	l.shown = true
	io.WriteString(l.terminal, l.drawing())
	l.timer.Reset(progressPause)
}

// drawing erases the line and draws it again.
func (l *Line) drawing() string {
	columns, _, err := term.GetSize(int(l.terminal.Fd()))
	if err != nil {
		columns = 80
	}
	return eraseLine + progressLine(l.latest, l.rate.perSecond(), columns-1) // the last column may wrap
}

// Above writes text, of whole lines, above the line.
func (l *Line) Above(w io.Writer, text string) {
	if l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.shown {
			text = eraseLine + text + l.drawing()
		}
	}
	io.WriteString(w, text)
}

// Restart lets the line come back, for another run.
func (l *Line) Restart() {
	if l == nil {
		return
	}
	l.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over, l.timer, l.latest, l.rate = false, nil, vendorer.Progress{}, rate{}
}

// Stop takes the line away, until a restart.
func (l *Line) Stop() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.timer != nil {
		l.timer.Stop()
	}
	if l.shown {
		io.WriteString(l.terminal, eraseLine)
	}
	l.shown = false
}

// A rate is how fast something grows, over the last rateWindow.
type rate struct{ samples []sample }

const (
	rateWindow = 5 * time.Second
	rateLeast  = 500 * time.Millisecond // over less it says little
)

type sample struct {
	at time.Time
	n  int64
}

// sample notes that at some time, after all others, it was n.
func (r *rate) sample(at time.Time, n int64) {
	r.samples = append(r.samples, sample{at, n})
	for at.Sub(r.samples[0].at) > rateWindow {
		r.samples = r.samples[1:]
	}
}

// perSecond is how much it grows in a second; 0 if that is not known, or it shrinks.
func (r *rate) perSecond() float64 {
	if len(r.samples) == 0 {
		return 0
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	took := last.at.Sub(first.at)
	if took < rateLeast || last.n < first.n {
		return 0
	}
	return float64(last.n-first.n) / took.Seconds()
}

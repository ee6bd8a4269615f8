package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/greenticai/packvendor/vendorer"
)

// What is done sooner than progressDelay is not worth a line; a line is drawn anew
// no more often than progressPause.
const (
	progressDelay = 300 * time.Millisecond
	progressPause = 100 * time.Millisecond
)

// narrow is the width, in columns, of a terminal that has no room for all.
const narrow = 60

// A progress is the line at the bottom of a terminal that says how far a run is.
// Its methods may be called concurrently; nil is one that never shows anything.
type progress struct {
	terminal *os.File
	wanted   bool

	mu    sync.Mutex
	timer *time.Timer
	shown bool // the delay is over
	now   vendorer.Progress
	bar   *progressbar.ProgressBar // of now's phase; nil before it is drawn
}

// newProgress returns the progress on w, nil if that is no terminal.
func newProgress(w io.Writer) *progress {
	file, _ := w.(*os.File)
	if !isTerminal(w) {
		return nil
	}
	return &progress{terminal: file}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
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

func (p *progress) advance(now vendorer.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Phase != p.now.Phase {
		p.clear()
	}
	p.now = now
	if p.timer == nil {
		p.timer = time.AfterFunc(progressDelay, p.show)
	}
	p.draw()
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = true
	p.draw()
}

// draw draws the line, if it is time.
func (p *progress) draw() {
	if !p.shown || p.now.Packs == 0 {
		return
	}
	if p.bar == nil {
		p.bar = p.newBar()
	}
	if p.now.Phase == vendorer.PhaseFetching {
		p.bar.Describe(p.description())
		p.bar.Set64(min(p.now.BytesDone, p.now.Bytes))
		return
	}
	p.bar.Set64(int64(p.now.Done))
}

// description is what stands before the bar.
func (p *progress) description() string {
	if p.now.Phase == vendorer.PhaseFetching {
		return fmt.Sprintf("%s %d/%d packs", p.now.Phase, p.now.Done, p.now.Packs)
	}
	return string(p.now.Phase)
}

// newBar returns the bar of a phase, for the terminal as wide as it is.
func (p *progress) newBar() *progressbar.ProgressBar {
	width, _, err := term.GetSize(int(p.terminal.Fd()))
	roomy := err != nil || width >= narrow
	total, isBytes := int64(p.now.Packs), p.now.Phase == vendorer.PhaseFetching
	if isBytes {
		total = p.now.Bytes
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p.terminal),
		progressbar.OptionSetDescription(p.description()),
		progressbar.OptionSetWidth(20),
		progressbar.OptionThrottle(progressPause),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionShowBytes(isBytes),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
	}
	if roomy || !isBytes {
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionShowTotalBytes(true))
	}
	return progressbar.NewOptions64(total, options...)
}

// above writes text, of whole lines, above the line.
func (p *progress) above(w io.Writer, text string) {
	if p != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.bar != nil {
			p.bar.Clear()
			defer p.bar.RenderBlank()
		}
	}
	io.WriteString(w, text)
}

// stop takes the line away for good.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	p.clear()
	p.wanted, p.shown, p.now = false, false, vendorer.Progress{}
}

// clear takes the line of a phase away.
func (p *progress) clear() {
	if p.bar != nil {
		p.bar.Clear()
	}
	p.bar = nil
}

package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/greenticai/packvendor/cmd/packvendor/internal/phrase"
	"github.com/greenticai/packvendor/packfetch"
	"github.com/greenticai/packvendor/vendorer"
)

// firstWaits are the times of the first messages, where no terminal shows the progress;
// later ones follow every laterWaits.
var firstWaits = []time.Duration{10 * time.Second, 30 * time.Second, time.Minute}

const laterWaits = time.Minute

// maxWaits bounds how many things are named in a message.
const maxWaits = 3

// A Waiting says from time to time what a command is waiting for. Its methods may be
// called concurrently.
type Waiting struct {
	say   func(format string, args ...any)
	after func(time.Duration, func()) (stop func())

	mu      sync.Mutex
	stop    func()            // the timer; nil where nothing is said
	spent   time.Duration     // when something was said last
	phase   vendorer.Progress // how far the run is
	lock    string            // whom it waits for; "" once it goes on
	pending map[string]int    // what was asked for, and how often
	failed  map[string]string // by host: what is tried again, after a pause
}

// NewWaiting returns one that says nothing yet. after is as time.AfterFunc; nil is that.
func NewWaiting(say func(format string, args ...any), after func(time.Duration, func()) (stop func())) *Waiting {
	if after == nil {
		after = func(d time.Duration, f func()) (stop func()) {
			timer := time.AfterFunc(d, f)
			return func() { timer.Stop() }
		}
	}
	return &Waiting{say: say, after: after}
}

// Start begins the time, if anything is to be said.
func (w *Waiting) Start(wanted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil && wanted {
		w.pending, w.failed = map[string]int{}, map[string]string{}
		w.next()
	}
}

// next sets the timer for the next line.
func (w *Waiting) next() {
	next := w.spent + laterWaits
	for _, first := range firstWaits {
		if first > w.spent {
			next = first
			break
		}
	}
	w.stop = w.after(next-w.spent, func() { w.tick(next) })
}

func (w *Waiting) tick(spent time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil {
		return
	}
	w.spent = spent
	w.say("after %s: %s", spent, w.text())
	w.next()
}

// End stops it for good.
func (w *Waiting) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		w.stop()
	}
	w.stop = nil
}

// change calls a function that changes the state, unless nothing is printed.
func (w *Waiting) change(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		change()
	}
}

// Advance notes how far the run is.
func (w *Waiting) Advance(now vendorer.Progress) {
	w.change(func() { w.phase, w.lock = now, "" })
}

// Event notes that the run waits for a lock or a retry.
func (w *Waiting) Event(e vendorer.Event) {
	switch e := e.(type) {
	case vendorer.WaitingForProject:
		w.change(func() { w.lock = "another packvendor, which is at work on " + e.File })
	case vendorer.Fetching:
		switch e := e.Event.(type) {
		case packfetch.Waiting:
			w.change(func() { w.lock = "another process, which is fetching " + e.Reference })
		case packfetch.Retrying:
			w.change(func() { w.failed[hostOf(e.Err)] = TriedAgain(e) })
		}
	}
}

// Underway notes that a request to a host begins, or that its answer is over.
func (w *Waiting) Underway(host string, n int) {
	w.change(func() {
		w.count(host, n)
		if n > 0 {
			delete(w.failed, host)
		}
	})
}

// count counts things that the command is waiting for.
func (w *Waiting) count(what string, n int) {
	if w.pending[what] += n; w.pending[what] <= 0 {
		delete(w.pending, what)
	}
}

// text says how far the run is, and what it is waiting for.
func (w *Waiting) text() string {
	parts := []string{phaseText(w.phase)}
	pending := slices.Sorted(maps.Keys(w.pending))
	if w.lock != "" {
		pending = append(pending, w.lock)
	}
	if more := len(pending) - maxWaits; more > 0 {
		pending = append(pending[:maxWaits], fmt.Sprintf("%d more", more))
	}
	if len(pending) > 0 {
		parts = append(parts, "waiting for "+strings.Join(pending, ", "))
	}
	failed := slices.Sorted(maps.Values(w.failed))
	parts = append(parts, failed[:min(len(failed), maxWaits)]...)
	return cmp.Or(phrase.Join("; ", parts...), "still at work")
}

// phaseText says how far a run is with a phase; nothing before the first one.
func phaseText(p vendorer.Progress) string {
	text := string(p.Phase)
	if p.Packs > 1 {
		text += fmt.Sprintf(" %d/%d packs", p.Done, p.Packs)
	}
	if amount := amounts(p); amount != "" {
		text += ", " + amount
	}
	return text
}

// patient is a keychain with a Waiting that counts its questions.
type patient struct {
	packfetch.Keychain
	waiting *Waiting
}

// Keychain returns a keychain whose answers count as waiting.
func (w *Waiting) Keychain(keychain packfetch.Keychain) packfetch.Keychain {
	return patient{keychain, w}
}

func (p patient) Find(ctx context.Context, host string) (*packfetch.Credentials, error) {
	count := func(n int) { p.waiting.change(func() { p.waiting.count("credentials for "+host, n) }) }
	count(1)
	defer count(-1)
	return p.Keychain.Find(ctx, host)
}

// TriedAgain says that a request is made again; when, only where the registry chose
// it.
func TriedAgain(e packfetch.Retrying) string {
	when := ""
	if e.Told {
		when = fmt.Sprintf(" in %s, as the registry asks", e.Wait)
	}
	return fmt.Sprintf("%v: trying again%s (%d of %d)", e.Err, when, e.Try, e.Of)
}

// hostOf is the host of a registry error; "" for other errors.
func hostOf(err error) string {
	var registry *packfetch.RegistryError
	if errors.As(err, &registry) {
		return registry.Host
	}
	return ""
}

package network

import (
	"sync"
	"time"
)

// A lane is one direction of a link, for the connections of one path. It has no clock: times
// are those that its callers say. Several goroutines may use its flows at once.
type lane struct {
	path Path

	mu    sync.Mutex
	free  time.Duration // when all that was sent has left
	flows map[*flow]bool
}

func newLane(p Path) *lane { return &lane{path: p, flows: map[*flow]bool{}} }

// A flow is one direction of a connection.
type flow struct {
	lane   *lane
	ready  time.Duration // nothing leaves before
	window int           // bytes that may be in flight

	inFlight int
	flights  []flight // in the order in which they are acknowledged
	used     int      // the most that was in flight since the window was halved
	last     time.Duration
}

// A flight is bytes that were sent together and are not yet acknowledged.
type flight struct {
	bytes int
	acked time.Duration
}

// open adds a flow from which nothing leaves before ready.
func (l *lane) open(ready time.Duration) *flow {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &flow{lane: l, ready: ready, window: initialWindow, last: ready}
	f.narrow()
	l.flows[f] = true
	return f
}

// close takes a flow's share from it, and bounds it no more.
func (f *flow) close() {
	f.lane.mu.Lock()
	defer f.lane.mu.Unlock()
	delete(f.lane.flows, f)
}

// may returns how many of n bytes may leave now. If it is none, it returns when to ask again.
func (f *flow) may(now time.Duration, n int) (bytes int, again time.Duration) {
	f.lane.mu.Lock()
	defer f.lane.mu.Unlock()
	switch {
	case !f.lane.flows[f]: // closed: nobody waits for the bytes
		return n, now
	case now < f.ready:
		return 0, f.ready
	}
	total := f.lane.settle(now)
	f.rest(now)
	bytes = min(n, initialWindow, f.window-f.inFlight)
	fits := bytes >= min(n, segment) && f.lane.fits(f, total, bytes)
	if !fits && f.inFlight > 0 {
		return 0, f.flights[0].acked
	}
	return bytes, now
}

// send sends bytes that may leave now, and returns when the last of them arrives. The end of a
// flow is no bytes, and may always leave. The times of one flow never go back.
func (f *flow) send(now time.Duration, bytes int) (arrives time.Duration) {
	l := f.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	left := max(l.free, now, f.ready) + l.path.takes(bytes)
	arrives = left + l.path.Delay
	if bytes == 0 {
		return arrives
	}
	l.free = left
	f.inFlight, f.last = f.inFlight+bytes, now
	f.flights, f.used = append(f.flights, flight{bytes, arrives + l.path.Delay}), max(f.used, f.inFlight)
	return arrives
}

// fits tells whether a link has room for so many bytes of a flow more. A full link has room
// for the flows that have less than their share.
func (l *lane) fits(f *flow, total, bytes int) bool {
	room := l.path.room()
	if room == 0 || total+bytes <= room {
		return true
	}
	busy := 0
	for other := range l.flows {
		if other.inFlight > 0 || other == f {
			busy++
		}
	}
	return f.inFlight+bytes <= room/busy
}

// settle counts in what is acknowledged by now, and returns how many bytes are in flight.
func (l *lane) settle(now time.Duration) (total int) {
	for f := range l.flows {
		for len(f.flights) > 0 && f.flights[0].acked <= now {
			was := f.flights[0]
			f.flights = f.flights[1:]
			f.inFlight -= was.bytes
			if f.window < 2*f.used { // a window grows while it is in use
				f.window += was.bytes
				f.narrow()
			}
		}
		total += f.inFlight
	}
	return total
}

// rest halves the window for each timeout in which nothing was in flight:
// tcp_slow_start_after_idle in https://docs.kernel.org/networking/ip-sysctl.html.
func (f *flow) rest(now time.Duration) {
	if f.inFlight > 0 {
		return
	}
	for idle := now - f.last; idle > f.lane.path.idle() && f.window > initialWindow; idle -= f.lane.path.idle() {
		f.window, f.used = max(initialWindow, f.window/2), 0
	}
}

func (f *flow) narrow() {
	if widest := f.lane.path.widest(); widest > 0 {
		f.window = min(f.window, widest)
	}
}

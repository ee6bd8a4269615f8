package network

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// far is 50 ms away, at 200 Mbit/s.
var far = Path{Delay: 25 * ms, Rate: 25_000_000}

// pass sends n bytes through a flow that has them all at once, and returns when the last
// of them arrives.
func pass(f *flow, now time.Duration, n int) (arrives time.Duration) {
	for n > 0 {
		bytes, again := f.may(now, n)
		if bytes == 0 {
			now = again
			continue
		}
		arrives = f.send(now, bytes)
		n -= bytes
	}
	return arrives
}

// within tells whether two times are as good as the same.
func within(got, want, slack time.Duration) bool { return got >= want-slack && got <= want+slack }

func TestLinkDelay(t *testing.T) {
	f := newLane(Path{Delay: 25 * ms}).open(50 * ms)
	if got := pass(f, 0, 100); got != 75*ms {
		t.Errorf("the first bytes arrive after %v, want a handshake and a delay", got)
	}
	if got := pass(f, 200*ms, 100); got != 225*ms {
		t.Errorf("later bytes arrive after %v", got)
	}
	if got := pass(newLane(Path{}).open(0), 7*ms, 10<<20); got != 7*ms {
		t.Errorf("without a delay they arrive after %v", got)
	}
}

// Slow start: 10 segments, 20, 40, …, a round trip each.
func TestLinkSlowStart(t *testing.T) {
	for _, test := range []struct {
		bytes int
		want  time.Duration
	}{
		{initialWindow, 25 * ms},
		{initialWindow + 1, 75 * ms},
		{3 * initialWindow, 75 * ms},
		{3*initialWindow + 1, 125 * ms},
		{7 * initialWindow, 125 * ms},
		{7*initialWindow + 1, 175 * ms},
		{127 * initialWindow, 325 * ms},
	} {
		f := newLane(Path{Delay: 25 * ms}).open(0)
		if got := pass(f, 0, test.bytes); got != test.want {
			t.Errorf("%d bytes arrive after %v, want %v", test.bytes, got, test.want)
		}
	}
}

// A window grows only where it is in use, and shrinks where nothing is sent.
func TestLinkWindow(t *testing.T) {
	f := newLane(Path{Delay: 25 * ms}).open(0)
	for at := time.Duration(0); at < time.Second; at += 50 * ms {
		pass(f, at, 600)
	}
	if pass(f, 1000*ms, 600); f.window != initialWindow {
		t.Errorf("small answers made a window of %d bytes", f.window)
	}
	f = newLane(Path{Delay: 25 * ms}).open(0)
	end := pass(f, 0, 15*initialWindow) + 25*ms // 1, 2, 4, 8
	if f.may(end, 1); f.window != 16*initialWindow {
		t.Errorf("a window of %d bytes after 15 initial ones", f.window)
	}
	sent := f.last
	for _, test := range []struct {
		idle time.Duration
		want int
	}{{250 * ms, 16}, {251 * ms, 8}, {501 * ms, 4}, {time.Hour, 1}} {
		g := *f
		if g.rest(sent + test.idle); g.window != test.want*initialWindow {
			t.Errorf("idle for %v: %d bytes, want %d initial windows", test.idle, g.window, test.want)
		}
	}
}

// The link is full once the window is as wide as a round trip: a large body takes its bytes
// divided by the rate, and slow start.
func TestLinkRate(t *testing.T) {
	const size = 100 << 20
	body := far.takes(size)
	got := pass(newLane(far).open(0), 0, size)
	if got < body+far.Delay || got > body+far.Delay+7*far.RoundTrip() {
		t.Errorf("%d bytes take %v, at the rate alone %v", size, got, body)
	}
	near := Path{Delay: 2500 * time.Microsecond, Rate: far.Rate}
	if got := pass(newLane(near).open(0), 0, size); !within(got, body, 30*ms) {
		t.Errorf("near by, %d bytes take %v, at the rate alone %v", size, got, body)
	}
	slow := far
	slow.PerConnection = 1_000_000
	if got := pass(newLane(slow).open(0), 0, 10<<20); !within(got, 10486*ms, 600*ms) {
		t.Errorf("at 1 MB/s of a connection, 10 MiB take %v", got)
	}
}

// together sends as many bytes through each of several flows, whoever may first.
func together(flows []*flow, begin []time.Duration, n int) (arrives []time.Duration) {
	left, now := make([]int, len(flows)), append([]time.Duration(nil), begin...)
	arrives = make([]time.Duration, len(flows))
	for i := range left {
		left[i] = n
	}
	for {
		next := -1
		for i := range flows {
			if left[i] > 0 && (next < 0 || now[i] < now[next]) {
				next = i
			}
		}
		if next < 0 {
			return arrives
		}
		bytes, again := flows[next].may(now[next], left[next])
		if bytes == 0 {
			now[next] = again
			continue
		}
		arrives[next] = flows[next].send(now[next], bytes)
		left[next] -= bytes
	}
}

// Connections share a link: together they have its rate, a later one gets its share, and
// little is in a queue before it.
func TestLinkShares(t *testing.T) {
	const size = 10 << 20
	lane := newLane(far)
	flows := []*flow{lane.open(0), lane.open(0), lane.open(0), lane.open(0)}
	arrives := together(flows, []time.Duration{0, 0, 0, 1000 * ms}, size)
	last := max(arrives[0], arrives[1], arrives[2], arrives[3])
	if all := far.takes(4 * size); !within(last, all+200*ms, 200*ms) {
		t.Errorf("all arrive after %v, at the rate alone %v", last, all)
	}
	// Alone, it would take 0.4 s and its slow start; with a quarter of the link, 1.7 s less
	// what the others leave to it in the end.
	if got := arrives[3] - 1000*ms; got > 1100*ms {
		t.Errorf("the later one takes %v", got)
	}
	busy := newLane(far)
	large := busy.open(0)
	pass(large, 0, size)
	now := large.last
	if got := pass(busy.open(0), now, 600) - now - far.Delay; got > far.RoundTrip()/4+far.takes(3*initialWindow) {
		t.Errorf("600 bytes wait %v in the queue of a full link", got)
	}
}

// Who has closed has no share, and does not wait.
func TestLinkClosed(t *testing.T) {
	lane := newLane(far)
	gone := lane.open(0)
	pass(gone, 0, 1<<20)
	gone.close()
	if total := lane.settle(gone.last); total != 0 {
		t.Errorf("%d bytes are in flight", total)
	}
	if bytes, again := gone.may(gone.last, 1<<20); bytes != 1<<20 || again != gone.last {
		t.Errorf("of 1 MiB, %d bytes may leave %v later", bytes, again-gone.last)
	}
}

// The same bytes at the same times always take the same time.
func TestLinkIsDeterministic(t *testing.T) {
	run := func() (sum time.Duration) {
		lane := newLane(far)
		var flows []*flow
		var begin []time.Duration
		for i := range 20 {
			flows, begin = append(flows, lane.open(0)), append(begin, time.Duration(i)*3*ms)
		}
		for i, at := range together(flows, begin, 300_000) {
			sum += at * time.Duration(i+1)
		}
		return sum
	}
	first := run()
	for range 20 {
		if again := run(); again != first {
			t.Fatalf("%v, then %v", first, again)
		}
	}
}

// Package network puts a distance between programs on one machine. A [Link] is a TCP proxy
// in front of servers: bytes take their time through it, and TLS passes untouched.
//
// The time is that of a model without chance and without loss. Each direction of a connection
// has a window as in TCP: it begins with ten segments, doubles with each round trip while it
// is used, and halves while the connection is idle. All connections of a link queue for its
// rate, first in, first out. If the link is full, each gets its share. Handshakes and
// acknowledgements take time, but no room on the link.
//
// On a machine with a core to spare, bytes arrive about 0.1 ms late: see BenchmarkAlarm. On a
// busy one they arrive later, but never early. [Link.TakeLateness] tells how late.
//
// It runs on Linux.
package network

import "time"

// A Path is the way through a link. The zero Path takes no time.
type Path struct {
	Delay         time.Duration // one way; a round trip takes two
	Rate          int64         // bytes per second in each direction, of all connections together; 0 is no limit
	PerConnection int64         // the same of each connection; 0 is no limit
	Connections   int           // that a server has at once, and others are reset; 0 is no limit
}

// RoundTrip is the time that a byte and its answer take.
func (p Path) RoundTrip() time.Duration { return 2 * p.Delay }

// TCP's figures: https://www.rfc-editor.org/rfc/rfc6928 for the initial window, and Linux's
// least retransmission timeout.
const (
	segment       = 1460 // bytes
	initialWindow = 10 * segment
	minTimeout    = 200 * time.Millisecond
)

// idle is how long a direction must be idle for its window to halve.
func (p Path) idle() time.Duration { return p.RoundTrip() + minTimeout }

// room is how many bytes are in flight on a link that is full: those on the way, and a
// router's queue of a quarter as many. 0 is no limit.
func (p Path) room() int {
	if p.Rate == 0 {
		return 0
	}
	return inTime(p.Rate, p.RoundTrip())*5/4 + 2*initialWindow
}

// widest is the window of a connection that has all of its own rate. 0 is no limit.
func (p Path) widest() int {
	if p.PerConnection == 0 {
		return 0
	}
	return max(segment, inTime(p.PerConnection, p.RoundTrip()))
}

// inTime is how many bytes pass at a rate in that time.
func inTime(rate int64, d time.Duration) int { return int(float64(rate) * d.Seconds()) }

// takes is how long so many bytes take to pass.
func (p Path) takes(bytes int) time.Duration {
	if p.Rate == 0 {
		return 0
	}
	return time.Duration(float64(bytes) / float64(p.Rate) * float64(time.Second))
}

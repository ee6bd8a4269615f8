package network

import (
	"io"
	"net"
	"time"
)

// A pipe is one direction of a connection. What it receives waits until it may be sent, and
// then until it arrives. Both queues are bounded, so that a sender feels the path, and a
// receiver that does not read holds up its sender.
type pipe struct {
	link     *Link
	from, to *net.TCPConn
	flow     *flow

	back                 *pipe         // the other direction
	over                 chan struct{} // closed when all is delivered
	received, sent       chan piece
	leave, arrive        alarm
	onReceive, onDeliver func(bytes int) // may be nil
}

// A piece is bytes, or the end of them, and when it was received or is to arrive.
type piece struct {
	data []byte
	at   time.Duration
	end  ending
}

type ending int

const (
	goesOn ending = iota
	ends          // its sender has no more to say
	breaks        // its sender is gone
)

// Room of a pipe, in pieces. What waits to be sent must be little: a server believes that it
// is sent, and sends later answers after it. What is on the way is bounded by the flow while
// the receiver reads, also if each piece is a segment of a full link.
const (
	waiting = 16
	onWay   = 256
)

func newPipe(c *connection, from, to *net.TCPConn, f *flow) *pipe {
	return &pipe{
		link: c.link, from: from, to: to, flow: f, over: make(chan struct{}),
		received: make(chan piece, waiting), sent: make(chan piece, onWay+f.lane.path.room()/segment),
	}
}

func (p *pipe) prepare() (err error) {
	if p.leave, err = newAlarm(); err != nil {
		return err
	}
	p.arrive, err = newAlarm()
	return err
}

func (p *pipe) discard() {
	p.flow.close()
	p.leave.close()
	p.arrive.close()
}

// receive takes what the sender says, and when.
func (p *pipe) receive() {
	defer close(p.received)
	for {
		data := make([]byte, initialWindow)
		n, err := p.from.Read(data)
		at := p.link.Now()
		if n > 0 {
			if p.onReceive != nil {
				p.onReceive(n)
			}
			p.received <- piece{data: data[:n], at: at}
		}
		switch {
		case err == io.EOF:
			p.received <- piece{at: at, end: ends}
			return
		case err != nil:
			p.received <- piece{at: at, end: breaks}
			return
		}
	}
}

// send lets go what was received, once it may leave. It reckons in the model's times: that it
// wakes late itself delays nothing else.
func (p *pipe) send() {
	defer close(p.sent)
	var now time.Duration
	for next := range p.received {
		now = max(now, next.at)
		for len(next.data) > 0 {
			n, again := p.flow.may(now, len(next.data))
			if n > 0 {
				p.sent <- piece{data: next.data[:n], at: p.flow.send(now, n)}
				next.data = next.data[n:]
			}
			now = again
			p.leave.wait(now - p.link.Now())
		}
		if next.end != goesOn {
			p.sent <- piece{at: p.flow.send(now, 0), end: next.end}
		}
	}
}

// deliver gives the receiver what was sent, once it arrives.
func (p *pipe) deliver() {
	defer close(p.over)
	gone := false
	var late time.Duration
	for next := range p.sent {
		early := next.at - p.link.Now()
		p.arrive.wait(early)
		late = lateness(p.link.Now()-next.at, late, early > 0)
		p.link.wasLate(late)
		switch {
		case gone:
		case next.end == breaks:
			reset(p.to)
		case next.end == ends:
			p.to.CloseWrite()
		default:
			if p.onDeliver != nil {
				p.onDeliver(len(next.data))
			}
			if _, err := p.to.Write(next.data); err != nil {
				gone = true
				p.link.group.Go(p.refuse)
			}
		}
	}
}

// refuse resets the sender, whose receiver is gone, after all that the receiver has said.
func (p *pipe) refuse() {
	p.to.SetReadDeadline(time.Unix(1, 0)) // it says no more
	<-p.back.over
	reset(p.from)
}

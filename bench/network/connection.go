package network

import "sync"

// A connection is one through a link: two pipes.
type connection struct {
	link     *Link
	up, down *pipe

	mu   sync.Mutex
	past Connection
}

// run returns when both directions have ended.
func (c *connection) run() {
	var group sync.WaitGroup
	for _, p := range []*pipe{c.up, c.down} {
		group.Go(p.receive)
		group.Go(p.send)
		group.Go(p.deliver)
	}
	group.Wait()
	c.discard()
	c.up.from.Close()
	c.up.to.Close()
}

// abort ends both directions at once.
func (c *connection) abort() {
	reset(c.up.from)
	reset(c.up.to)
	c.discard()
}

// discard gives back what the pipes hold. They do not wait for any time then.
func (c *connection) discard() {
	c.up.discard()
	c.down.discard()
}

func (c *connection) clientSent(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past.Up += int64(bytes)
}

func (c *connection) clientReceived(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past.Down += int64(bytes)
}

package fetch

// A counted is a Sink whose bytes are told to Options.Copied.
type counted struct {
	Sink
	report func(n int64)
	n      int64
}

// counted makes dst tell what is copied of p, if anybody listens.
func (f *Fetcher) counted(p *Resolved, dst Sink) Sink {
	if f.copied == nil {
		return dst
	}
	return &counted{Sink: dst, report: func(n int64) { f.copied(n, p.Layer.Size) }}
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Sink.Write(b)
	c.n += int64(n)
	c.report(int64(n))
	return n, err
}

// Reset takes back what was told.
func (c *counted) Reset() error {
	if c.n > 0 {
		c.report(-c.n)
	}
	c.n = 0
	return c.Sink.Reset()
}

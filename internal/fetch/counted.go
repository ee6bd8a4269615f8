package fetch

// A counted is a Sink that reports its bytes to Options.Copied.
type counted struct {
	Sink
	report func(n int64)
	n      int64
}

// counted wraps both of to's sinks if Options.Copied is set.
func (f *Fetcher) counted(p *Resolved, to target) target {
	if f.copied == nil {
		return to
	}
	count := func(dst Sink) Sink {
		return &counted{Sink: dst, report: func(n int64) { f.copied(n, p.Layer.Size) }}
	}
	return target{count(to.Sink), func() (Sink, error) {
		dst, err := to.uncached()
		if err != nil {
			return nil, err
		}
		return count(dst), nil
	}}
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Sink.Write(b)
	c.n += int64(n)
	c.report(int64(n))
	return n, err
}

// Reset reports that all bytes are taken back.
func (c *counted) Reset() error {
	if c.n > 0 {
		c.report(-c.n)
	}
	c.n = 0
	return c.Sink.Reset()
}

package terminal

import "time"

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

package network

import (
	"slices"
	"time"
)

// Lateness is by how much bytes were delivered after their time: the timers of a busy machine
// are late. It does not count for how long a receiver did not read.
type Lateness struct {
	Deliveries int
	Mean       time.Duration
	Most       time.Duration // of 99 in 100 deliveries
}

// TakeLateness returns the lateness since the last call.
func (l *Link) TakeLateness() Lateness {
	l.mu.Lock()
	defer l.mu.Unlock()
	late := l.late
	l.late = nil
	return latenessOf(late)
}

func latenessOf(late []time.Duration) Lateness {
	if len(late) == 0 {
		return Lateness{}
	}
	slices.Sort(late)
	var sum time.Duration
	for _, d := range late {
		sum += d
	}
	return Lateness{Deliveries: len(late), Mean: sum / time.Duration(len(late)), Most: late[(len(late)*99-1)/100]}
}

// wasLate counts a delivery in.
func (l *Link) wasLate(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = append(l.late, by)
}

// lateness is how late a piece is that has come after its time by so much, and the one before
// it was late by before. If nobody waited for its time, it may be late since its receiver did
// not read; it is not later than the one before for any other reason.
func lateness(after, before time.Duration, waited bool) time.Duration {
	if waited {
		return after
	}
	return min(after, before)
}

package main

import (
	"errors"

	"github.com/greenticai/packvendor/bench/network"
	"github.com/greenticai/packvendor/internal/packtest"
)

// linkRate is that of the line between a user and registries, in bytes per second: 200 Mbit/s.
const linkRate = 200_000_000 / 8

// A line is a link between a user and servers that are far away.
type line struct {
	*network.Link
	ca     *packtest.Authority // of the servers; nil over plain HTTP
	record *record             // of all requests; nil is none
	fronts []*front
}

// to returns an address that leads to a server, as a front with those options lets it.
func (l *line) to(server string, o frontOptions) (address string, err error) {
	if o.record = l.record; o == (frontOptions{}) {
		return l.To(server)
	}
	f, err := startFront(server, l.ca, o)
	if err != nil {
		return "", err
	}
	l.fronts = append(l.fronts, f)
	return l.To(f.address)
}

// refused counts the requests that fronts have refused.
func (l *line) refused() (n int) {
	for _, f := range l.fronts {
		n += int(f.refused.Load())
	}
	return n
}

// close ends all connections and fronts.
func (l *line) close() error {
	errs := []error{l.Close()}
	for _, f := range l.fronts {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}

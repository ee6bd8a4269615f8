package main

import (
	"cmp"
	"io"
	"os"
	"time"

	"github.com/greenticai/packvendor/internal/packtest/distribution"
)

// A registry is the real registry server, and what its access log has counted.
type registry struct {
	*distribution.Server
	caFile  string // "" over plain HTTP
	through string // the address that leads to it from afar, as references have it; "" is its own
}

// address is the host and port that references have.
func (r *registry) address() string { return cmp.Or(r.through, r.Host()) }

// root is the URL of that address, without a trailing slash.
func (r *registry) root() string {
	if r.caFile == "" {
		return "http://" + r.address()
	}
	return "https://" + r.address()
}

func startRegistry(work string, o distribution.Options) (*registry, error) {
	dir, err := os.MkdirTemp(work, "registry-")
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	r := &registry{}
	if r.Server, err = distribution.Start(o); err != nil {
		return nil, err
	}
	if !o.Plain {
		r.caFile, err = r.CAFile(dir)
	}
	if err != nil {
		r.stop()
		return nil, err
	}
	return r, nil
}

func (r *registry) stop() error { return r.Stop() }

// quiet is how long the log must not have grown for what was asked to be in it:
// the server writes a line after the client has its answer.
const quiet = 100 * time.Millisecond

// mark returns where the log ends now.
func (r *registry) mark() (int64, error) {
	for end := int64(-1); ; time.Sleep(quiet) {
		info, err := os.Stat(r.LogFile())
		if err != nil || info.Size() == end {
			return end, err
		}
		end = info.Size()
	}
}

// since returns what was asked of the server since a mark.
func (r *registry) since(mark int64) (traffic, error) {
	end, err := r.mark()
	if err != nil {
		return traffic{}, err
	}
	log, err := os.Open(r.LogFile())
	if err != nil {
		return traffic{}, err
	}
	defer log.Close()
	return readTraffic(io.NewSectionReader(log, mark, end-mark))
}

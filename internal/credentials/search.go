package credentials

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// A search looks for the credentials for one host, place by place, until it finds some.
type search struct {
	host     string // as registryOf returns it
	getenv   func(string) string
	timeout  time.Duration
	lookOnly bool // see Options

	places      []Place
	asked       []string // the helpers that it has started
	credentials *Credentials
}

// run fills in places and credentials. It returns early when ctx ends.
func (s *search) run(ctx context.Context) {
	timed, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("no answer within %v", s.timeout))
	defer cancel()
	for _, l := range locations(s.getenv) {
		if s.host == "" || ctx.Err() != nil { // "": not a host
			return
		}
		if s.credentials != nil {
			s.note(Source{File: l.name}, Skipped, nil)
			continue
		}
		s.look(timed, l)
	}
}

// look reads one configuration: its helper, then its entries.
func (s *search) look(ctx context.Context, l location) {
	file := Source{File: l.name}
	data, err := l.read()
	if errors.Is(err, fs.ErrNotExist) {
		s.note(file, Absent, nil)
		return
	}
	if err != nil {
		s.note(file, Failed, err)
		return
	}
	c, err := parseConfig(data)
	if err != nil {
		s.note(file, Failed, err)
		return
	}
	if name := c.helper(s.host); name != "" && l.helpers {
		s.ask(ctx, file, name)
	}
	if s.credentials != nil {
		return
	}
	found, key, err := c.find(s.host)
	file.Key = key
	s.record(file, found, err)
}

// ask asks a helper, each one once.
func (s *search) ask(ctx context.Context, source Source, name string) {
	if !isHelperName(name) {
		s.note(source, Failed, errors.New("the helper that it names cannot be a program's name"))
		return
	}
	source.Helper = helperPrefix + name
	if slices.Contains(s.asked, name) {
		s.note(source, Skipped, nil)
		return
	}
	s.asked = append(s.asked, name)
	h := &helper{program: source.Helper, getenv: s.getenv, wait: min(s.timeout, maxPipeWait)}
	if s.lookOnly {
		s.lookFor(source, h)
		return
	}
	found, err := h.get(ctx, addressOf(s.host))
	if found != nil {
		source.Key = addressOf(s.host)
	}
	s.record(source, found, err)
}

// lookFor records whether a helper could be started.
func (s *search) lookFor(source Source, h *helper) {
	if _, err := h.lookPath(); err != nil {
		s.note(source, Failed, err)
		return
	}
	s.note(source, Unasked, nil)
}

// record records the finding at a place, and keeps credentials.
func (s *search) record(source Source, found *Credentials, err error) {
	switch {
	case err != nil:
		s.note(source, Failed, err)
	case found == nil || !found.finding().Held():
		source.Key = ""
		s.note(source, Nothing, nil)
	default:
		found.Source = source
		s.credentials = found
		s.note(source, found.finding(), nil)
	}
}

func (s *search) note(source Source, finding Finding, err error) {
	s.places = append(s.places, Place{Source: source, Finding: finding, Err: err})
}

package vendorer

import (
	"context"
	"errors"
	"strings"

	"github.com/greenticai/packvendor/internal/distlock"
	"github.com/greenticai/packvendor/internal/publickey"
	"github.com/greenticai/packvendor/internal/signature"
	"github.com/greenticai/packvendor/lockfile"
)

// FormatDistLock returns packs.lock as "greentic-dist pull --lock" reads it, without network. It
// needs the evidence of signed packs. Errors: *LockedError if packs.lock does not agree with
// packs.toml, *DistFileError, and those of evidence.
func FormatDistLock(ctx context.Context, o Options) ([]byte, error) {
	o.Offline = true
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	plan := makePlan(s.p.Config.Packs, s.p.Lock, nil, nil, nil)
	if err := errors.Join(s.lockedError(plan), distFileError(plan)); err != nil {
		return nil, err
	}
	return s.formatDistLock(plan)
}

func (s *session) formatDistLock(plan Plan) ([]byte, error) {
	var lock distlock.Lock
	var leftOut SignatureLeftOut
	var chosen LayerNotKnown
	var errs []error
	for _, step := range plan.Steps {
		entry := step.Locked
		component, err := s.distComponent(entry)
		errs = append(errs, err)
		lock.Components = append(lock.Components, component)
		if entry.Signer != "" && component.Envelope == nil {
			leftOut.Names = append(leftOut.Names, entry.Name)
		}
		if entry.Layer != "" {
			chosen.Names = append(chosen.Names, entry.Name)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if leftOut.Names != nil {
		s.events.now(leftOut)
	}
	if chosen.Names != nil {
		s.events.now(chosen)
	}
	return distlock.Format(lock), nil
}

// distComponent returns an entry as such a lock has it.
func (s *session) distComponent(entry lockfile.Entry) (distlock.Component, error) {
	component := distlock.Component{Name: entry.Name, Repository: entry.Reference().Name(), Digest: entry.ManifestDigest}
	if entry.Signer == "" {
		return component, nil
	}
	var err error
	component.Envelope, err = s.distEnvelope(entry)
	return component, err
}

// distEnvelope returns the signature of an entry for such a lock; nil if it can have none.
func (s *session) distEnvelope(entry lockfile.Entry) ([]byte, error) {
	e, err := s.openEvidence(entry, nil)
	if err != nil || e.Format != signature.Bundle || len(e.Key) == 0 {
		return nil, err // Greentic's own signatures are in the manifest, so they cannot be about it
	}
	key, err := publickey.ParseSPKI(e.Key)
	if err != nil {
		return nil, s.evidenceError(entry, err)
	}
	opened, err := signature.OpenBundle(e.Bundle, []*publickey.Key{key})
	if err != nil {
		return nil, s.evidenceError(entry, err)
	}
	return distlock.Envelope(opened, entry.ManifestDigest), nil
}

// A DistFileError reports packs that are files, which greentic-dist cannot fetch.
type DistFileError struct{ Names []string }

func (e *DistFileError) Error() string {
	if len(e.Names) == 1 {
		return e.Names[0] + " is from a file, which greentic-dist cannot fetch"
	}
	return strings.Join(e.Names, ", ") + " are from files, which greentic-dist cannot fetch"
}

// distFileError returns a *DistFileError if packs of the plan are files.
func distFileError(plan Plan) error {
	e := &DistFileError{}
	for _, step := range plan.Steps {
		if step.Pack.Path != "" {
			e.Names = append(e.Names, step.Pack.Name)
		}
	}
	if e.Names == nil {
		return nil
	}
	return e
}

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

// A DistLock is packs.lock for Greentic's own programs.
type DistLock struct {
	Text []byte // what "greentic-dist pull --lock" reads
	// Unsigned are the signed packs whose signature is not in it, since greentic-dist would
	// refuse it: mostly it is about the pack, and greentic-dist compares it with the manifest.
	Unsigned []string
	// Chosen are the packs whose layer packs.toml chooses: greentic-dist chooses by media type.
	Chosen []string
}

// MakeDistLock makes such a lock of packs.lock, without network. It needs the evidence of signed
// packs. Packs that are files are a *FileDistError, and it is a *LockedError if packs.lock does
// not agree with packs.toml.
func MakeDistLock(ctx context.Context, o Options) (*DistLock, error) {
	o.Offline = true
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	plan := makePlan(s.p.Config.Packs, s.p.Lock, nil, nil, nil)
	fromFiles := &FileDistError{}
	d := &DistLock{}
	var lock distlock.Lock
	var errs []error
	for _, step := range plan.Steps {
		entry := step.Locked
		switch {
		case step.Pack.Path != "":
			fromFiles.Names = append(fromFiles.Names, step.Pack.Name)
			continue
		case step.Action == Resolve:
			continue // lockedError tells
		case entry.Layer != "":
			d.Chosen = append(d.Chosen, entry.Name)
		}
		component := distlock.Component{Name: entry.Name, Repository: entry.Reference().Name(), Digest: entry.ManifestDigest}
		if entry.Signer != "" {
			component.Envelope, err = s.distEnvelope(entry)
			if component.Envelope == nil {
				d.Unsigned = append(d.Unsigned, entry.Name)
			}
			errs = append(errs, err)
		}
		lock.Components = append(lock.Components, component)
	}
	switch {
	case len(fromFiles.Names) > 0:
		errs = append(errs, fromFiles)
	case plan.lockedError() != nil:
		errs = append(errs, s.lockedError(plan))
	}
	d.Text = distlock.Format(lock)
	return d, errors.Join(errs...)
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

// A FileDistError reports packs that are files, which greentic-dist cannot fetch.
type FileDistError struct{ Names []string }

func (e *FileDistError) Error() string {
	if len(e.Names) == 1 {
		return e.Names[0] + " is from a file, which greentic-dist cannot fetch"
	}
	return strings.Join(e.Names, ", ") + " are from files, which greentic-dist cannot fetch"
}

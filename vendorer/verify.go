package vendorer

import (
	"context"
	"errors"
	"slices"
)

// A Verification is what Verify found.
type Verification struct {
	Packs int // how many packs.toml has
	// Findings are what is not as it must be, each an error of a type below or
	// of Run's.
	Findings []error
	// Unembedded says why the Go toolchain could not be asked what it embeds;
	// nil if it was asked.
	Unembedded error
}

// Verify compares packs.toml, packs.lock, the vendored files, the generated
// file and what the Go toolchain embeds with each other, and looks for what would
// change the generated file's variables. It writes nothing and, unless remote is set,
// uses no network; with remote it also proves, by manifest requests alone, that every
// entry of packs.lock follows from its reference, and that a version tag names the
// digest that is pinned. The error is for what kept it from comparing.
func Verify(ctx context.Context, o Options, remote bool) (*Verification, error) {
	s, err := open(ctx, o, false)
	if err != nil {
		return nil, err
	}
	defer s.close()
	here, err := s.comparePlan(ctx)
	if err != nil {
		return nil, err
	}
	s.p.Unlock() // the rest is about registries
	s.checkRemotes(ctx, here.tasks, remote)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return s.verification(here), nil
}

// Verified is of how many packs everything was checked and nothing found: what is
// found about no pack alone, such as another generated file, is about all.
func (v *Verification) Verified() int {
	blamed := map[string]bool{}
	for _, finding := range v.Findings {
		names, all := blames(finding)
		if all {
			return 0
		}
		for _, name := range names {
			blamed[name] = true
		}
	}
	return v.Packs - len(blamed)
}

// blames returns which packs of packs.toml a finding is about.
func blames(finding error) (names []string, all bool) {
	var pack *PackError
	var vendored *VendoredError
	var locked *LockedError
	switch {
	case errors.As(finding, &pack):
		return []string{pack.Name}, false
	case errors.As(finding, &vendored):
		return []string{vendored.Name}, false
	case errors.As(finding, &locked):
		return slices.Concat(locked.Missing, locked.Stale), locked.NoFile || locked.Format
	}
	return nil, true
}

// isAsLocked tells that nothing was found but tags that packs.lock is not about.
func (v *Verification) isAsLocked() bool {
	return !slices.ContainsFunc(v.Findings, func(err error) bool {
		var tag *TagMismatchError
		return !errors.As(err, &tag)
	})
}

// add adds findings, those that are nil aside.
func (v *Verification) add(errs ...error) {
	for _, err := range errs {
		if err != nil {
			v.Findings = append(v.Findings, err)
		}
	}
}

package vendorer

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/greenticai/packvendor/internal/evidence"
	"github.com/greenticai/packvendor/internal/keyless"
	"github.com/greenticai/packvendor/internal/trust"
	"github.com/greenticai/packvendor/internal/verdict"
	"github.com/greenticai/packvendor/lockfile"
	"github.com/greenticai/packvendor/vendorer/internal/project"
)

// KeylessPackage is the Go package of the program that verifies signatures without a key.
const KeylessPackage = keyless.Package

// Errors about signatures without a key.
type (
	// An UnverifiedError reports such a signature that the program did not verify, so that
	// nobody knows whether the pack is signed.
	UnverifiedError = verdict.UnverifiedError
	// A KeylessMissingError reports that the program is not installed.
	KeylessMissingError = keyless.NotFoundError
	// A KeylessSettingError reports a value of PACKVENDOR_SIGSTORE that cannot be used.
	KeylessSettingError = keyless.SettingError
	// A KeylessError says why the program gave no answer.
	KeylessError = keyless.Error
)

// searchKeyless says where the program is looked for. dir is in the work tree and the module
// whose programs are not run.
func (o Options) searchKeyless(dir string) keyless.Search {
	search := keyless.Search{Getenv: o.getenv, Executable: o.Executable, Refuse: treesAround(dir)}
	for _, dir := range bothNames(dir) {
		if root, err := project.ModuleRoot(dir); err == nil {
			search.Refuse = append(search.Refuse, root)
		}
	}
	return search
}

// bothNames returns the absolute path of a folder, and the one without links. Another work tree
// may be above each of the two.
func bothNames(dir string) []string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil
	}
	target, err := filepath.EvalSymlinks(dir)
	if err != nil || target == dir {
		return []string{dir}
	}
	return []string{dir, target}
}

// keylessBy verifies signatures without a key by a root.
func (c *client) keylessBy(ctx context.Context, root []byte) verdict.Keyless {
	return func(s *trust.Signer) evidence.Keyless { return c.keyless.Signer(ctx, s, root) }
}

// asUnverified returns an error that leaves open who signed as an *UnverifiedError; other
// errors as nil.
func asUnverified(err error) error {
	if keyless.IsUnanswered(err) || errors.Is(err, evidence.ErrKeyless) {
		return &UnverifiedError{Err: err}
	}
	return nil
}

// mayLeaveOpen tells whether a run may go on although an error leaves open who signed a pack:
// there is no program, or nobody says any more by what root it was verified. Where an
// organisation judges, a run may not. Then packs.toml could loosen what that says. Nor may it
// lock another entry for the same manifest without the program: the signature may name another
// repository than the new one.
func (v *vendoring) mayLeaveOpen(t *task, entry lockfile.Entry, err error) bool {
	var missing *KeylessMissingError
	isMissing := errors.As(err, &missing) && entry == t.Locked
	return v.organisation == nil && (isMissing || errors.Is(err, evidence.ErrKeyless))
}

// leaveOpen notes that a signature was not verified.
func (v *vendoring) leaveOpen(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unverified = Unverified{v.unverified.Signatures + 1, errors.Unwrap(err)}
}

// tellUnverified reports how many signatures were not verified.
func (v *vendoring) tellUnverified() {
	if v.unverified.Signatures > 0 {
		v.events.event(v.unverified)
		v.events.flush()
	}
}

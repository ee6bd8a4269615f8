package vendorer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/greenticai/packvendor/internal/regularfile"
)

// VerifyProgramOptions hold for one call of VerifyProgram.
type VerifyProgramOptions struct {
	// Projects are files packs.toml, whose packs.lock the program is compared with.
	Projects []string
	// Locks are other files packs.lock.
	Locks []string
	// All wants every locked pack in the program.
	All bool
	// Only wants no other pack in the program.
	Only bool
}

// A ProgramVerification is the result of VerifyProgram.
type ProgramVerification struct {
	*Program
	// Findings are the problems: *LinkError and *NoMarkerError.
	Findings []error
	Locked   int // how many packs the locks have
	Verified int // how many of them are in the program, as they are locked
}

// A NoMarkerError reports a program that has no pack of a packs.lock.
type NoMarkerError struct {
	Program string
	Lock    string // "" if the program has no markers at all
	Package string // the import path of the Go package of Lock; "" if it is unknown
}

func (e *NoMarkerError) Error() string {
	switch {
	case e.Lock == "":
		return e.Program + " has no markers of packs"
	case e.Package != "":
		return fmt.Sprintf("%s has no marker of %s, the package of %s", e.Program, e.Package, e.Lock)
	}
	return fmt.Sprintf("%s has no marker of a pack of %s", e.Program, e.Lock)
}

// VerifyProgram compares the packs in an executable with files packs.lock. It does not run the
// executable. Errors besides those of reading files: *FormatError, *MarkerLimitError,
// *InputError and those of a project.
func VerifyProgram(ctx context.Context, o Options, file string, vo VerifyProgramOptions) (*ProgramVerification, error) {
	locks, err := o.locksOf(ctx, vo.Projects, vo.Locks)
	if err != nil {
		return nil, err
	}
	program, info, err := regularfile.Open(nil, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &InputError{File: file, Err: err}
	case err != nil:
		return nil, err
	}
	defer program.Close()
	p, err := openProgram(ctx, file, program, info.Size(), locks)
	if err != nil {
		return nil, err
	}
	v := &ProgramVerification{Program: p}
	for _, lock := range locks {
		v.Locked += len(lock.Entries)
		if v.HasMarkers && !p.hasAny(lock) {
			v.Findings = append(v.Findings, &NoMarkerError{Program: file, Lock: lock.file, Package: lock.importPath})
		}
	}
	if v.Locked > 0 && !v.HasMarkers {
		v.Findings = []error{&NoMarkerError{Program: file}}
	}
	for _, pack := range p.Packs {
		v.add(pack, vo)
	}
	v.Verified = p.countVerified()
	return v, nil
}

// hasAny tells whether the program has any of the locked packs, if there are some.
func (p *Program) hasAny(lock programLock) bool {
	return len(lock.Entries) == 0 || slices.ContainsFunc(p.Packs, func(pack ProgramPack) bool {
		return pack.Lock == lock.file && pack.Linked != nil
	})
}

// add adds the findings about one pack.
func (v *ProgramVerification) add(pack ProgramPack, vo VerifyProgramOptions) {
	e := LinkError{Program: v.Path, Package: pack.Package, Name: pack.Name, Lock: pack.Lock}
	switch {
	case pack.Err != nil:
		v.Findings = append(v.Findings, pack.Err)
	case pack.Lock == "" && vo.Only:
		e.Fault = NotLocked
	case pack.Lock != "" && vo.All && !v.isLinkedEverywhere(pack):
		e.Fault, e.Architectures = NotLinked, v.without(pack)
	}
	isTold := slices.ContainsFunc(v.Findings, func(err error) bool {
		none, ok := err.(*NoMarkerError)
		return ok && (none.Lock == "" || none.Lock == pack.Lock)
	})
	if e.Fault != "" && !isTold {
		v.Findings = append(v.Findings, &e)
	}
}

// isLinkedEverywhere tells whether a program has a pack, a universal one in all images.
func (p *Program) isLinkedEverywhere(pack ProgramPack) bool {
	return pack.Linked != nil && len(pack.Linked.Architectures) == len(p.Architectures)
}

// without returns the architectures that do not have a pack that others have.
func (p *Program) without(pack ProgramPack) []string {
	if pack.Linked == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Architectures), func(name string) bool {
		return slices.Contains(pack.Linked.Architectures, name)
	})
}

// countVerified counts the locked packs that the program has as they are locked.
func (p *Program) countVerified() int {
	type key struct{ lock, name string }
	right := map[key]bool{}
	for _, pack := range p.Packs {
		if k := (key{pack.Lock, pack.Name}); pack.Lock != "" && pack.Linked != nil {
			before, seen := right[k]
			right[k] = pack.Err == nil && (before || !seen)
		}
	}
	n := 0
	for _, isRight := range right {
		if isRight {
			n++
		}
	}
	return n
}
